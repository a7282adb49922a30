"""A minute of load in which everything is killed once: what was acknowledged is there, and nobody sees more than a 503."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.conftest import PARK
from tests.services.chroma_server import ChromaServer, chroma_server
from tests.services.postgres_server import Server, postgres_server, programs
from tests.services.together import Together, answers, together
from vectorstore.keys import Keys
from vectorstore.place import Place
from vectorstore.store import PolicyStore

SECONDS = 60.0
READERS = 12  # each asks every four seconds, together what two cores answer
PAUSE = 4.0
QUESTIONS = ("园区管理机构每年最高能拿到多少奖补？", "考核优秀的园区运营机构每年最高奖励多少？", "今天天气怎么样？")


@dataclass
class Seen:
    """What clients were told, and what was acknowledged."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    uploaded: list[str] = field(default_factory=list)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def take(self, reply: httpx.Response) -> bool:
        """Note a reply; whether it was given."""
        with self.guard:
            self.statuses[reply.status_code] += 1
            if reply.status_code == 503:
                body = reply.json() if "json" in reply.headers.get("content-type", "") else {}
                if not body.get("error", {}).get("message") or not reply.headers.get("retry-after"):
                    self.wrong.append(reply.text[:300])
            elif reply.status_code != 200:
                self.wrong.append(f"{reply.status_code} {reply.text[:300]}")
            return reply.status_code == 200


@pytest.fixture(scope="module")
def servers(
    nginx: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Together, Server, ChromaServer, Place]]:
    """Servers of this test's own, because they are killed."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    folder = tmp_path_factory.mktemp("killed")
    with postgres_server() as postgres, chroma_server(folder / "chroma") as chroma:
        place = Place(folder / "own", database=postgres.database(), chroma=chroma.url)
        with together(nginx, place, folder) as running:
            yield running, postgres, chroma, place


def test_everything_is_killed_once_and_nothing_acknowledged_is_lost(
    servers: tuple[Together, Server, ChromaServer, Place],
) -> None:
    running, postgres, chroma, place = servers
    store = PolicyStore(place)
    keys = [Keys(store.catalog).new(f"reader {number}", ["admin"])[1] for number in range(READERS)]
    store.close()
    seen, over = Seen(), threading.Event()
    threads = [
        threading.Thread(target=reader, args=(running.url, key, number, seen, over)) for number, key in enumerate(keys)
    ]
    threads.append(threading.Thread(target=uploader, args=(running.url, keys[0], seen, over)))
    began = time.monotonic()
    for thread in threads:
        thread.start()
    one, two = running.processes
    for after, outage in (
        (6, one.kill), (10, one.start), (20, two.kill), (24, two.start), (34, lambda: postgres.restart("immediate")),
        (44, chroma.kill), (50, chroma.start),
    ):  # fmt: skip
        time.sleep(max(0.0, began + after - time.monotonic()))
        outage()
    time.sleep(max(0.0, began + SECONDS - time.monotonic()))
    over.set()
    for thread in threads:
        thread.join(60)
    print(f"\n{dict(seen.statuses)}, {len(seen.uploaded)} uploads acknowledged")
    assert seen.wrong == []
    assert set(seen.statuses) <= {200, 503}
    assert seen.statuses[200] > 0.7 * sum(seen.statuses.values())
    until(lambda: all(answers(f"{process.url}/readyz") for process in running.processes))
    store = PolicyStore(place)
    until(lambda: not store.catalog.connection().execute("SELECT 1 FROM jobs WHERE state = 'waiting'").fetchall())
    held = [record.source for record in store.catalog.records()]
    assert len(held) == len(set(held))
    assert set(seen.uploaded) <= set(held)
    assert len(seen.uploaded) >= 10
    with store.catalog.transaction(searched=False) as connection:
        assert store.catalog.engine.fulltext.examine(connection) == ""
    store.close()
    after = Seen()
    with httpx.Client(base_url=running.url, timeout=60, trust_env=False) as client:
        for question in QUESTIONS:
            assert ask(client, keys[1], question, after) is not None
    # The index is used again by itself.
    until(lambda: all(index_open(process.url, keys[0]) for process in running.processes))


def reader(url: str, key: str, number: int, seen: Seen, over: threading.Event) -> None:
    over.wait(number * PAUSE / READERS)
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        while not over.wait(PAUSE):
            ask(client, key, QUESTIONS[number % len(QUESTIONS)], seen)


def ask(client: httpx.Client, key: str, question: str, seen: Seen) -> dict[str, Any] | None:
    reply = client.post("/api/ask", json={"question": question}, headers={"Authorization": f"Bearer {key}"})
    return reply.json() if seen.take(reply) else None


def uploader(url: str, key: str, seen: Seen, over: threading.Event) -> None:
    number = 0
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
        while not over.wait(1.5):
            number += 1
            name = f"{number:03}.txt"
            text = PARK.replace("3000", str(3000 + number)).encode()
            reply = client.post(
                "/api/documents", files={"file": (name, text)}, headers={"Authorization": f"Bearer {key}"}
            )
            if seen.take(reply):
                (taken,) = reply.json()["files"]
                if taken["outcome"] in ("added", "waiting", "unchanged"):
                    with seen.guard:
                        seen.uploaded.append(name)
                else:
                    seen.wrong.append(str(taken))


def index_open(url: str, key: str) -> bool:
    reply = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {key}"}, timeout=10, trust_env=False)
    return "zhice_index_open 1.0" in reply.text


def until(seen: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 90
    while not seen():
        assert time.monotonic() < give_up
        time.sleep(0.2)
