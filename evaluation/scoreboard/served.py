"""`zhice serve` as an operator starts it: a process of its own on a free port of this machine, watched from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from evaluation.scoreboard.policies import ROOT
from vectorstore.errors import ZhiceError

PATIENCE: Final = 120
"""Seconds for a server to listen; on an idle machine it takes some five."""

# What of this process's surroundings a server gets to see; everything else is given to it by name.
_KEPT: Final = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "VIRTUAL_ENV")


class DidNotStart(ZhiceError):
    """A server did not come to listen; the message has the end of what it wrote."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where it listens, its process, and the file that all it writes goes to."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def port(self) -> int:
        return int(self.address.rpartition(":")[2])

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def said(self) -> str:
        """All that it has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def memory(self) -> int:
        """Resident memory in bytes, without that of the processes that read files."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def handles(self) -> int:
        """Open files and connections."""
        return int(psutil.Process(self.process.pid).num_fds())


@contextmanager
def serving(data: Path, *, before: Sequence[str] = (), **environ: str) -> Iterator[Server]:
    """A server over a data folder until the block ends, with the samples in it unless ZHICE_SAMPLES is 0.

    Args:
        data: the data folder; what the server writes goes to the file `NAME.log` beside it.
        before: words to put before the command, as of a program that starts another in a network of its own.
        environ: variables for the server, such as ZHICE_ADMIN_PASSWORD; of this process's it gets only a few.

    Raises:
        DidNotStart: it ended, or did not listen in time.
    """
    log = data.with_name(f"{data.name}.log")
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - this program's own command
            [*before, sys.executable, "-m", "app", "serve", "--data-dir", str(data)],
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={**kept, "ZHICE_PORT": "0", "PYTHONUNBUFFERED": "1", **environ},
        )
    try:
        yield Server(_address(process, log), process, log)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up and process.poll() is None:
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("Zhice is at "):
                return line.removeprefix("Zhice is at ")
        time.sleep(0.05)
    raise DidNotStart(f"`zhice serve` did not start: {log.read_text('utf-8', 'replace')[-500:]!r}")
