"""Line 7: half an hour of questions while documents come and go, and what it does to memory and open files."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

import httpx

from evaluation.scoreboard.line import Line
from evaluation.scoreboard.policies import text_of
from evaluation.scoreboard.served import Server, serving
from evaluation.scoreboard.stub_model import stub_model
from evaluation.scoreboard.users import POLICIES, Heard, crowd, on_page, over_rest, shelf_with_keys
from vectorstore.keys import Keys
from vectorstore.store import PolicyStore

GROWTH: Final = 0.10
USERS: Final = 60
ON_PAGE: Final = 10
BETWEEN_UPLOADS: Final = 20.0
"""Seconds after which a document comes in, in a new edition."""
EDITED: Final = 5
"""Policies beside those that are asked about, whose editions follow one another."""
FEW: Final = 16
"""Files more than before that are no leak: connections of users who happen to ask at the same moment."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Resident memory in bytes, and open files."""

    memory: int
    handles: int


def run(work: Path, *, quick: bool) -> Line:
    """30 minutes, the first five to settle; in the quick form 12 s, in which memory is not judged."""
    started = time.perf_counter()
    seconds = 12.0 if quick else 1800.0
    keys = shelf_with_keys(work / "kb", work, USERS)
    with closing(PolicyStore(work / "kb")) as store:
        admin = Keys(store.catalog).new("uploads", ["admin"])[1]
    with stub_model() as model, serving(work / "kb", **model) as server:
        samples, rest, page, faults = asyncio.run(_soak(server, keys, admin, seconds))
        alive = server.alive
    settled, last = samples[len(samples) // 6 : len(samples) // 3], samples[-len(samples) // 6 :]
    before, after = median(each.memory for each in settled), median(each.memory for each in last)
    opened = max(each.handles for each in last) - max(each.handles for each in settled)
    wrong = rest.wrong + page.wrong
    growth = after / before - 1
    return Line(
        7,
        "half an hour under load",
        f"{USERS} users over HTTP and {ON_PAGE} on the page for {seconds:.0f} s, a document in a new edition every "
        f"{BETWEEN_UPLOADS:.0f} s; the server's memory and open files every {_between(seconds):.0f} s, the last sixth "
        "against the second",
        f"{len(rest.answered) + len(page.answered)} answers, {sum(wrong.values())} errors, {len(faults)} failed uploads; "
        f"memory {before / 2**20:.0f} -> {after / 2**20:.0f} MiB ({growth:+.1%}), open files {opened:+d}"
        + "".join(f"; {each}" for each in [*wrong, *faults][:3]),
        alive
        and not wrong
        and not faults
        and opened <= FEW
        and (quick or growth < GROWTH)
        and bool(rest.answered and page.answered),
        time.perf_counter() - started,
    )


async def _soak(
    server: Server, keys: list[str], admin: str, seconds: float
) -> tuple[list[Sample], Heard, Heard, list[str]]:
    page = await on_page(server.address)
    rest, shown, faults, samples = await asyncio.gather(
        crowd(server.address, USERS, seconds, over_rest(keys), _pause),
        crowd(server.address, ON_PAGE, seconds, page, _pause, seed=2),
        _uploads(server.address, admin, seconds),
        _watched(server, seconds),
    )
    return samples, rest, shown, faults


async def _uploads(address: str, admin: str, seconds: float) -> list[str]:
    """What went wrong with documents that came in."""
    faults, until, edition = [], time.monotonic() + seconds, 0
    headers = {"Authorization": f"Bearer {admin}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60, trust_env=False) as client:
        while time.monotonic() < until:
            edition += 1
            number = POLICIES + 1 + edition % EDITED
            file = (f"{number:04}.txt", text_of(number, edition).encode())
            reply = await client.post("/api/documents", files={"file": file})
            taken = reply.json().get("files", [{}])[0].get("outcome")
            if taken not in ("added", "updated"):
                faults.append(f"an upload was {taken or reply.status_code}")
            await asyncio.sleep(BETWEEN_UPLOADS)
    return faults


async def _watched(server: Server, seconds: float) -> list[Sample]:
    samples, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        samples.append(Sample(server.memory(), server.handles()))
        await asyncio.sleep(_between(seconds))
    return samples


def _between(seconds: float) -> float:
    return min(10.0, seconds / 20)


def _pause(chance: Random) -> float:
    """Six questions in a minute."""
    return chance.uniform(6, 14)
