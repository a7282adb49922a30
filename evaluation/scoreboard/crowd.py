"""Connections that hold a server's attention without asking it anything: silent ones, slow heads, slow bodies."""

from __future__ import annotations

import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

if sys.platform != "win32":
    import resource

# Seconds between two bytes: often enough that no pause between them ends the connection.
PACE: Final = 1.0
# Bytes that a slow body promises, more than a crowd lives to send.
PROMISED: Final = 1_000
# Addresses that slow bodies go to: of programs, of the page, of signing in, and one that there is not.
ADDRESSES: Final = ("/api/ask", "/gradio_api/queue/join", "/admin/sign-in", "/nowhere")

SILENT: Final = "silent"
HEAD: Final = "slow head"
BODY: Final = "slow body"


@dataclass(slots=True)
class Member:
    """One connection: what it does, what it has said and heard, and when it was closed by the server, if it was."""

    kind: str
    connection: socket.socket
    opening: bytes
    heard: bytes = b""
    ended: float | None = None

    def tick(self, now: float) -> None:
        """Say one byte more, and listen."""
        if self.ended is not None:
            return
        try:
            if self.opening:
                self.connection.sendall(self.opening)
                self.opening = b""
            elif self.kind != SILENT:
                self.connection.sendall(b"a")
            while said := self.connection.recv(4096):
                self.heard += said
            self.ended = now
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:  # reset, or closed while a byte was under way
            self.ended = now


class Crowd:
    """Opens connections at the beginning of the block and closes at its end those that are left.

    Args:
        port: of a server on this machine.
        silent: connections that say nothing.
        slow: connections with a head that does not end, and as many with a body.
    """

    def __init__(self, port: int, *, silent: int, slow: int) -> None:
        self.seconds = 0.0
        self._port = port
        self._kinds = [SILENT] * silent + [HEAD] * slow + [BODY] * slow
        self._members: list[Member] = []

    def __enter__(self) -> Self:
        for number, kind in enumerate(self._kinds):
            connection = socket.create_connection(("127.0.0.1", self._port), timeout=10)
            connection.setblocking(False)
            address = ADDRESSES[number % len(ADDRESSES)]
            head = f"POST {address} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            opening = {SILENT: "", HEAD: f"{head}X-Slow: ", BODY: f"{head}Content-Length: {PROMISED}\r\n\r\n"}[kind]
            self._members.append(Member(kind, connection, opening.encode()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for member in self._members:
            member.connection.close()

    def wait(self, seconds: float) -> None:
        """Go on being slow for so long, or until all connections are closed."""
        begun = now = time.monotonic()
        while now - begun < seconds and any(member.ended is None for member in self._members):
            for member in self._members:
                member.tick(now - begun)
            time.sleep(max(0.0, now + PACE - time.monotonic()))
            now = time.monotonic()
        self.seconds = now - begun

    def faults(self, *, early: bool = False) -> list[str]:
        """What was wrong: connections that were left open, unless it is `early`, and bodies that were taken."""
        left = [] if early else [f"a {each.kind} was left open" for each in self._members if each.ended is None]
        statuses = [(each, each.heard[9:12]) for each in self._members if each.heard]
        return left + [
            f"a {each.kind} was answered with {status.decode('ascii', 'replace')}"
            for each, status in statuses
            if status not in (b"400", b"404", b"408", b"413")
        ]

    def summary(self) -> str:
        """How many connections of each kind the server has closed, after how long at most, and what it said."""
        told = []
        for kind in dict.fromkeys(self._kinds):
            members = [member for member in self._members if member.kind == kind]
            ended = [member.ended for member in members if member.ended is not None]
            statuses = Counter(member.heard[9:12].decode("ascii", "replace") for member in members if member.heard)
            said = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
            told.append(
                f"{len(ended)} of {len(members)} {kind} closed"
                + (f" within {max(ended):.0f} s" if ended else "")
                + (f" ({said})" if said else "")
            )
        return ", ".join(told)


def may_open(files: int) -> bool:
    """Whether this process, and so the servers that it starts, may open so many files; the limit is raised if it can be."""
    if sys.platform == "win32":
        return True
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= files:
        return True
    if hard != resource.RLIM_INFINITY and hard < files:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return True
