"""Opening a generation in a process of its own before the server does: `python -m vectorstore.proving FOLDER STORED`.

Chroma's own files passed their hashes by then. Its bookkeeping cannot be hashed, and Chroma ends the process or fills
the disk over files that it takes for its own and are not; here that ends the child.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from vectorstore.room import size_of
from vectorstore.vectors import Generation, GenerationDamaged

SECONDS: Final = 60
"""Opening and asking 147,288 passages took 3 s; a Chroma that makes its graph anew is ended."""

_SAMPLE: Final = 200
"""Stored vectors that have to find themselves; each was found when the generation was built, and its files hashed."""

_GROWTH: Final = 16 * 2**20
"""Bytes that no file may exceed the whole folder by; Chroma writes less than a page when it opens one that is sound."""


def prove(folder: Path, stored: int) -> None:
    """Open a generation that `check` has passed in a child process, count it and ask it for what it holds.

    Raises:
        GenerationDamaged: it cannot be opened or does not answer; the message says how that ended.
    """
    command = [sys.executable, "-m", "vectorstore.proving", str(folder), str(stored)]
    beside = os.pathsep.join(filter(None, (str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH"))))
    try:
        done = subprocess.run(  # noqa: S603 - this program's own module
            command,
            env={**os.environ, "PYTHONPATH": beside},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise GenerationDamaged(f"The index folder {folder} could not be proven: {error}.") from error
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2] or f"the process ended with {done.returncode}"
        raise GenerationDamaged(f"The index folder {folder} is damaged: {last}.")


def main(folder: str, stored: str) -> None:
    """What the child does; it ends with an error if the generation is not as it should be."""
    _limit_files(size_of(Path(folder)) + _GROWTH)
    generation = Generation(Path(folder))
    if generation.count() != int(stored):
        raise SystemExit(f"{generation.count()} of {stored} passages are in it")
    sample = generation.sample(_SAMPLE)
    unfound = generation.unfound(*sample)
    if len(unfound) > len(sample[0]) // 10:  # the few that a sound graph does not find are known and scanned
        raise SystemExit(f"{len(unfound)} of {len(sample[0])} passages are not found")
    generation.close()


def _limit_files(largest: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(*sys.argv[1:])
