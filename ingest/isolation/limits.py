"""What the process that reads files may use, set by itself before it sees the first one.

Where the system has no such limits (Windows; macOS counts no memory) only the parent's clock bounds a reader. What a
reader that was taken over may still do is what the user may do, less the network where Linux lets a process give it up.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

if sys.platform != "win32":
    import resource

MEBIBYTE = 2**20
# Reading the largest real documents takes under 200 MiB; a bomb is noticed at this.
READING_MEMORY = 512 * MEBIBYTE
# Text recognition was measured at 920 MiB for pages of A4 and 1,320 MiB for A3; a large picture decoded comes to it.
RECOGNITION_MEMORY = 2048 * MEBIBYTE
# What the next file may take in a process that keeps the models: with 384 MiB, one that had only looked at a damaged
# picture before it came to a bomb was let grow to 526 MiB.
_NEXT_FILE = 320 * MEBIBYTE
# An outside converter of old formats may need the file, 50 MiB at most, as a file.
_FILE_BYTES = 64 * MEBIBYTE
_OPEN_FILES = 64
# The parent ends a reader by the clock long before; this ends one whose parent cannot. Recognition uses every core.
_CPU_SECONDS = 120

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


def limit_this_process(parent: int) -> None:
    """Give up what reading does not need; ends with the parent, whose process id is `parent`."""
    if sys.platform == "win32":
        return
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, _FILE_BYTES),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        _lower(kind, most, most)
    _lower(resource.RLIMIT_DATA, READING_MEMORY, RECOGNITION_MEMORY)
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _leave_the_network(libc)
        if os.getppid() != parent:
            os._exit(1)


def _leave_the_network(libc: ctypes.CDLL) -> None:
    """Move to an own, empty network; without the right to one (a container, an old kernel) nothing changes."""
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWNET) == 0 or libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return
    # Without these, files of one's own cannot be made in the new user namespace.
    for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with contextlib.suppress(OSError):
            Path("/proc/self", name).write_text(text, encoding="ascii")


def allow_time() -> None:
    """Allow the seconds of processor time that one step may take, counted from now."""
    if sys.platform != "win32":
        usage = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(usage.ru_utime + usage.ru_stime) + _CPU_SECONDS * (os.cpu_count() or 1)
        _lower(resource.RLIMIT_CPU, seconds, resource.RLIM_INFINITY)


def allow_reading(*, recognised: bool) -> None:
    """Allow what reading a file takes, beside what this process holds for text recognition once it has done any."""
    if sys.platform != "win32":
        held = memory() if recognised else 0
        _lower(
            resource.RLIMIT_DATA,
            min(RECOGNITION_MEMORY, max(READING_MEMORY, held + _NEXT_FILE)),
            RECOGNITION_MEMORY,
        )


def allow_recognition() -> None:
    """Allow what text recognition takes."""
    if sys.platform != "win32":
        _lower(resource.RLIMIT_DATA, RECOGNITION_MEMORY, RECOGNITION_MEMORY)


def memory() -> int:
    """The bytes this process has for data; 0 where the system does not tell."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return 0


def _lower(kind: int, soft: int, hard: int) -> None:
    """Set a limit, or as much of it as the limits that hold already leave."""
    if sys.platform != "win32":
        _, most = resource.getrlimit(kind)
        if most != resource.RLIM_INFINITY:
            hard = most if hard == resource.RLIM_INFINITY else min(hard, most)
            soft = min(soft, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (soft, hard))
