"""How much two web processes behind nginx answer, beside one of them asked directly; printed, and the same in kind."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

import httpx
import pytest

from tests.services.chroma_server import ChromaServer
from tests.services.postgres_server import Server
from tests.services.together import Together, together
from vectorstore.keys import Keys
from vectorstore.place import Place
from vectorstore.store import PolicyStore

SECONDS = 10.0
CLIENTS = 8
KEYS = 150  # each may ask twenty questions a minute
QUESTIONS = (
    "园区管理机构每年最高能拿到多少奖补？",
    "考核指标有哪些？",
    "What subsidy does a park manager get?",
    "今天天气怎么样？",
)


@dataclass
class Load:
    """What clients that ask one question after the other were given."""

    times: list[float] = field(default_factory=list)
    others: list[int] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / SECONDS

    def __str__(self) -> str:
        p95 = statistics.quantiles(self.times, n=20)[-1]
        return f"{self.rate:.1f} answers a second, p95 {p95:.2f} s, {len(self.others)} told to come again"


@pytest.fixture(scope="module")
def running(
    nginx: str, postgres: Server, chroma: ChromaServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Together, list[str]]]:
    folder = tmp_path_factory.mktemp("load")
    place = Place(folder / "own", database=postgres.database(), chroma=chroma.url)
    with together(nginx, place, folder) as both:
        store = PolicyStore(place)
        keys = [Keys(store.catalog).new(f"reader {number}", ["ask"])[1] for number in range(KEYS)]
        store.close()
        yield both, keys


def test_two_processes_answer_at_least_what_one_does(running: tuple[Together, list[str]]) -> None:
    both, keys = running
    load(both.url, keys, seconds=2.0)
    alone = load(both.processes[0].url, keys)
    together_ = load(both.url, keys)
    print(f"\none process: {alone}\ntwo behind nginx: {together_}\nratio {together_.rate / alone.rate:.2f}")
    assert set(alone.others) | set(together_.others) <= {429, 503}
    # The processes share their cores with the clients, the database and whatever else this machine does.
    assert together_.rate > 0.7 * alone.rate


def load(url: str, keys: list[str], seconds: float = SECONDS) -> Load:
    """Clients that ask without a pause."""
    found, give_up, guard = Load(), time.monotonic() + seconds, threading.Lock()

    def ask(number: int) -> None:
        questions, key = cycle(QUESTIONS), cycle(keys[number::CLIENTS])
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            while time.monotonic() < give_up:
                began = time.monotonic()
                reply = client.post(
                    "/api/ask", json={"question": next(questions)}, headers={"Authorization": f"Bearer {next(key)}"}
                )
                with guard:
                    if reply.status_code == 200:
                        found.times.append(time.monotonic() - began)
                    else:
                        found.others.append(reply.status_code)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
