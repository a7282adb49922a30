"""What the process that stores documents has of the cluster: a process beside it that may be lost, and is asked in turn."""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from types import TracebackType
from typing import BinaryIO, NoReturn, Self, cast

from ingest.cluster.messages import Answer, Failure, File, Message, PageDone, Refusal, Request, Workers
from ingest.cluster.worker import program
from ingest.errors import ClusterUnavailable, UnreadableDocument
from ingest.isolation import PageProgress
from ingest.reading import BYTES_AHEAD, Read

# While one file is long in reading, the workers have others.
_FILES_A_WORKER = 8
# A cluster of this machine's own started in 8 s, and one that is there answers at once; Ray itself tries for minutes.
_CONNECT_SECONDS = 90.0
# Workers end in a second; with a cluster of this machine's own, that ends, too.
_END_SECONDS = 20.0
_KEPT_CHARACTERS = 2_000

_LOGGER = logging.getLogger(__name__)


class ClusterReader:
    """Reads files, and makes what they are searched by, on a Ray cluster (see `ingest.reading.Reading`).

    Args:
        address: `auto` (the cluster that this machine is a node of), `host:port` (likewise), `ray://host:port` (one
            elsewhere) or `local` (one of this machine's own, for as long as this takes).
        encoder: the setting that the workers load their encoder by.
        encoder_name: what that has to be called.
        module: the module whose `prepare` reads files.
    """

    bytes_ahead = BYTES_AHEAD

    def __init__(
        self, address: str, *, encoder: str | None, encoder_name: str, module: str = "ingest.preparing"
    ) -> None:
        self._request = Request(address, encoder, encoder_name, program(), module)
        self._workers = 1
        self._timed_out = False

    @property
    def files_ahead(self) -> int:
        """How many files to begin before the first of them is stored."""
        return _FILES_A_WORKER * self._workers

    def __enter__(self) -> Self:
        """Connect.

        Raises:
            ClusterUnavailable: there is no such cluster, or Ray is not installed.
        """
        if find_spec("ray") is None:
            raise ClusterUnavailable("Ray is not installed, so --ray cannot be used; run: pip install 'zhice[ray]'")
        self._folder = tempfile.TemporaryDirectory(prefix="zhice-cluster-", ignore_cleanup_errors=True)
        self._said = tempfile.TemporaryFile()  # closed in __exit__
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "ingest.cluster"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            cwd=self._folder.name,
            env=_environment(self._request.address),
            start_new_session=True,
        )
        self._questions = cast("BinaryIO", self._process.stdin)
        self._answers = cast("BinaryIO", self._process.stdout)
        try:
            self._send(self._request)
            with self._clock(_CONNECT_SECONDS):
                connected = self._next()
            if not isinstance(connected, Workers):
                self._lost()
            self._workers = connected.count
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def submit(self, data: bytes, source: str, *, on_page: PageProgress) -> Callable[[], Read]:
        """Begin to read a file.

        Raises:
            ClusterUnavailable: here and when waited for: the cluster is lost, or its workers are not what they should be.
        """
        self._send(File(data, source))
        return lambda: self._result(on_page)

    def _result(self, on_page: PageProgress) -> Read:
        while True:
            message = self._next()
            if isinstance(message, Answer):
                return cast("Read", pickle.loads(message.pickled))  # noqa: S301  # by a worker, that is by this program
            if isinstance(message, Failure):
                raise UnreadableDocument(message.reason)
            if isinstance(message, PageDone):
                on_page(message.done, message.total)
            elif isinstance(message, Workers):
                self._workers = message.count

    def _send(self, message: Request | File) -> None:
        try:
            pickle.dump(message, self._questions)
            self._questions.flush()
        except OSError:
            self._next_refusal()

    def _next(self) -> Message:
        try:
            message = cast("Message", pickle.load(self._answers))  # noqa: S301  # by the process that this one started
        except (EOFError, OSError, pickle.UnpicklingError):
            self._lost()
        if isinstance(message, Refusal):
            raise ClusterUnavailable(self._message(f"cannot be used: {message.reason}"))
        return message

    def _next_refusal(self) -> NoReturn:
        """What it said before it ended."""
        while True:
            self._next()

    def _lost(self) -> NoReturn:
        self._said.seek(0, os.SEEK_END)
        self._said.seek(max(0, self._said.tell() - _KEPT_CHARACTERS))
        _LOGGER.warning("What Ray said last:\n%s", self._said.read().decode(errors="replace"))
        if self._timed_out:
            raise ClusterUnavailable(self._message(f"did not answer within {_CONNECT_SECONDS:.0f} s"))
        raise ClusterUnavailable(self._message("was lost"))

    def _message(self, what: str) -> str:
        return (
            f"The Ray cluster {self._request.address} {what}. What was reported as done is safe; when that is set right, "
            "run the command again: it goes on from there. Without --ray, it runs on this machine."
        )

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            self._questions.close()
        with self._clock(_END_SECONDS), contextlib.suppress(OSError):
            while self._answers.read(2**20):
                pass
            self._process.wait()
        self._answers.close()
        self._said.close()
        self._folder.cleanup()

    @contextlib.contextmanager
    def _clock(self, seconds: float) -> Iterator[None]:
        def stop() -> None:
            self._timed_out = True
            self._process.kill()

        timer = threading.Timer(seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _environment(address: str) -> dict[str, str]:
    """This process's variables without the program's settings, among which are secrets."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZHICE_")}
    environment |= {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    if address == "local":
        # It listens on the loopback address only, and to who knows a token; Ray would write one to the home folder.
        environment |= {
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
        }
    return environment
