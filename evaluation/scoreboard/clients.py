"""Clients of a served Zhice: a shelf that they ask about, keys to ask with, and a client who asks at a steady pace."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx
import psutil

from channels.access import QUESTIONS_A_MINUTE
from evaluation.scoreboard.policies import percent, write_policies
from evaluation.scoreboard.served import Server
from ingest.pipeline import ingest_into
from vectorstore.keys import Keys
from vectorstore.store import PolicyStore

DOCUMENTS: Final = 20
PATIENCE: Final = 60.0
"""Seconds for one answer; the server gives none of its own accord."""

# Times of answers below this tell of the machine's scheduler, and not of what else the server does: two processes that
# want the same core each wait some such spans for the other.
LEAST_SECONDS: Final = 0.03

# How many times slower the others may become. Some ten answers, as the quick forms have, say little: their p95 is the
# slowest of them, and anything on the machine can make that one slow.
_SLOWER: Final = 2.0
_QUICK_SLOWER: Final = 10.0

# A server that has started up uses next to none of a core; seconds between looks, and percent of one core.
_LOOK: Final = 0.3
_BUSY: Final = 10.0


def furnish(data: Path, keys: int = 0, *, documents: int = DOCUMENTS) -> tuple[str, list[str]]:
    """Put invented policies into a data folder; a key for administrators, and as many more for asking."""
    policies = data.with_name(f"{data.name}-policies")
    write_policies(policies, range(1, documents + 1))
    store = PolicyStore(data)
    try:
        ingest_into(store, [policies])
        made = Keys(store.catalog)
        return made.new("manages", ["admin"])[1], [made.new(f"asks {number}", ["ask"])[1] for number in range(keys)]
    finally:
        store.close()


def slower(*, quick: bool) -> float:
    """How many times its own p95 a client's answers may take while something else goes on."""
    return _QUICK_SLOWER if quick else _SLOWER


def keys_for(every: float) -> int:
    """How many keys a client needs who asks every so many seconds, so that no key asks more often than it may."""
    # Twice as many, since whoever begins anew begins with the first key.
    return 2 * int(60 / every / QUESTIONS_A_MINUTE) + 2


def bearer(key: str) -> dict[str, str]:
    """The header with a key."""
    return {"Authorization": f"Bearer {key}"}


@dataclass(slots=True)
class Times:
    """How long answers took, in seconds, and what was wrong with those that were none."""

    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def p95(self) -> float:
        """Seconds; no less than LEAST_SECONDS."""
        return max(percent(self.seconds, 0.95), LEAST_SECONDS)

    def add(self, other: Times) -> None:
        """Take another's times and faults in, too."""
        self.seconds += other.seconds
        self.wrong += other.wrong


class Asking:
    """Asks a question every so many seconds, on a thread of its own, while the block runs; `times` says how it went.

    A question that has to wait for the one before it is timed from the moment at which it was due.
    """

    def __init__(self, address: str, keys: Sequence[str], *, every: float) -> None:
        self.times = Times()
        self._address, self._keys, self._every = address, keys, every
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="asking")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _ask(self) -> None:
        number, due = 0, time.perf_counter()
        with httpx.Client(base_url=self._address, timeout=PATIENCE, trust_env=False) as client:
            while not self._stopped.wait(max(0.0, due - time.perf_counter())):
                fault = ask(client, self._keys[number % len(self._keys)], number % DOCUMENTS + 1)
                self.times.seconds.append(time.perf_counter() - due)
                self.times.wrong += [fault] if fault else []
                number, due = number + 1, due + self._every


def ask(client: httpx.Client, key: str, number: int = 1) -> str:
    """Ask about one of the policies; what is wrong with the answer, or nothing."""
    try:
        reply = client.post("/api/ask", json={"question": f"海州市第{number}号项目最高奖励多少？"}, headers=bearer(key))
    except httpx.HTTPError as error:
        return f"{type(error).__name__} instead of an answer"
    if reply.status_code != 200:
        return f"{reply.status_code} instead of an answer"
    return "" if f"第{number}号" in reply.json()["text"] else "an answer that does not speak of what was asked"


def settle(server: Server, key: str) -> None:
    """Ask something, and wait until the server has done all that it does at its start."""
    with httpx.Client(base_url=server.address, timeout=PATIENCE, trust_env=False) as client:
        ask(client, key)
    process, give_up = psutil.Process(server.process.pid), time.monotonic() + PATIENCE
    process.cpu_percent()
    time.sleep(_LOOK)
    while process.cpu_percent() > _BUSY and time.monotonic() < give_up:
        time.sleep(_LOOK)


def idle(asking: Asking, seconds: float) -> Times:
    """How long answers take while nothing else is asked of the server."""
    with asking:
        time.sleep(seconds)
    return asking.times
