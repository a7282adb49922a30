"""`python -m evaluation.scoreboard.watched LOG PYTHON -m app ...`: the command, with every file that it opens on record.

Python tells an audit hook of every file that is about to be opened, listed, made, moved or removed, by whatever library
(PEP 578). Each is recorded once, as a line of JSON: the event, the path with links followed, whether it writes.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from collections.abc import Callable
from typing import Any, Final

# Events beside `open`: where in their arguments a path is, and where the number of the folder that it is relative to.
_Places = tuple[tuple[int, int], ...]
_READS: Final[dict[str, _Places]] = {"os.listdir": ((0, 9),), "os.scandir": ((0, 9),), "os.chdir": ((0, 9),)}
_CHANGES: Final[dict[str, _Places]] = {
    "os.link": ((0, 2), (1, 3)), "os.mkdir": ((0, 2),), "os.remove": ((0, 1),), "os.rename": ((0, 2), (1, 3)),
    "os.rmdir": ((0, 1),), "os.symlink": ((1, 2),), "os.truncate": ((0, 9),), "os.utime": ((0, 3),),
    "os.chmod": ((0, 2),), "os.chown": ((0, 3),), "sqlite3.connect": ((0, 9),),
}  # fmt: skip
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def recorder(file: int) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that writes to an open file, given by its number."""
    seen: set[tuple[str, str, bool]] = set()

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            places: _Places = ((0, 9),)
            writes = bool((arguments[2] or 0) & _WRITING)
        elif event in _READS or event in _CHANGES:
            places, writes = _READS.get(event) or _CHANGES[event], event in _CHANGES
        else:
            return
        for place, folder in places:
            path = _real(arguments[place], arguments[folder] if folder < len(arguments) else None)
            if path and (event, path, writes) not in seen:
                seen.add((event, path, writes))
                os.write(file, f"{json.dumps((event, path, writes))}\n".encode())

    return hook


def _real(path: Any, folder: Any) -> str:
    """A path with links followed; nothing for what is none, as the number of an open file."""
    if not isinstance(path, str | bytes | os.PathLike):
        return ""
    name = os.fsdecode(path)
    name = name.removeprefix("file:").partition("?")[0] if name.startswith("file:") else name  # SQLite's own notation
    if isinstance(folder, int) and folder >= 0:
        name = f"{os.readlink(f'/proc/self/fd/{folder}')}/{name}"  # noqa: PTH115 - pathlib would be recorded, too
    elif "/" not in name and not os.path.lexists(name):
        return ""  # `open` does not say what a name is relative to; there is no such file where the process is
    try:
        return os.path.realpath(name)
    except ValueError:  # a NUL, with which the system opens nothing
        return ""


def main() -> None:
    """Record what the command opens that follows the log's name; it is this interpreter's `-m app`."""
    log, *command = sys.argv[1:]
    sys.argv = command[command.index("app") :]
    sys.addaudithook(recorder(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)))
    runpy.run_module("app", run_name="__main__")


if __name__ == "__main__":
    main()
