"""Line 7: half an hour of questions while documents come and go, and what it does to memory and open files."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median
from typing import Final

import httpx

from evaluation.scoreboard.clients import bearer, furnish
from evaluation.scoreboard.line import Line
from evaluation.scoreboard.policies import text_of
from evaluation.scoreboard.served import Server, serving
from evaluation.scoreboard.stub_model import stub_model
from evaluation.scoreboard.users import LOAD, POLICIES, Heard, capacity, crowd, on_page, over_rest, users_within

GROWTH: Final = 0.10
MOST: Final = 200
"""Users at most."""
ON_PAGE: Final = 1 / 7
"""The share of the users who ask on the page."""
PAUSE: Final = (6.0, 14.0)
"""Seconds between a user's questions."""
MEASURED: Final = 10.0
"""Seconds in which it is seen what the server can answer."""
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


@dataclass(frozen=True, slots=True)
class Growth:
    """Median memory in bytes when settled and at the end, and how many more files were open at most."""

    before: float
    after: float
    handles: int

    @property
    def share(self) -> float:
        return self.after / self.before - 1

    @property
    def small(self) -> bool:
        return self.share < GROWTH and self.handles <= FEW


def growth(samples: Sequence[Sample]) -> Growth:
    """The last sixth of the time against the second."""
    sixth = len(samples) // 6
    settled, last = samples[sixth : 2 * sixth], samples[-sixth:]
    return Growth(
        median(each.memory for each in settled),
        median(each.memory for each in last),
        max(each.handles for each in last) - max(each.handles for each in settled),
    )


def run(work: Path, *, quick: bool) -> Line:
    """30 minutes, the first five to settle; in the quick form 4 s, in which growth is not judged."""
    started = time.perf_counter()
    seconds = 4.0 if quick else 1800.0
    admin, keys = furnish(work / "kb", MOST, documents=POLICIES)
    with stub_model() as model, serving(work / "kb", **model) as server:
        answers = asyncio.run(capacity(server.address, keys, min(MEASURED, seconds)))
        users = users_within(answers, min(sum(PAUSE) / 2, seconds), most=MOST)
        samples, rest, page, faults = asyncio.run(_soak(server, keys[:users], admin, seconds))
        alive = server.alive
    grown, wrong = growth(samples), rest.wrong + page.wrong
    return Line(
        7,
        "half an hour under load",
        f"{users} users for {seconds:.0f} s, who ask for {LOAD:.0%} of what the server can answer, one in seven on the page; a document in a new edition every "
        f"{BETWEEN_UPLOADS:.0f} s; the server's memory and open files every {_between(seconds):.0f} s, the last sixth "
        "against the second",
        f"{len(rest.answered) + len(page.answered)} answers, {sum(wrong.values())} errors, {len(faults)} failed uploads; "
        f"memory {grown.before / 2**20:.0f} -> {grown.after / 2**20:.0f} MiB ({grown.share:+.1%}), "
        f"open files {grown.handles:+d}" + "".join(f"; {each}" for each in [*wrong, *faults][:3]),
        alive and not wrong and not faults and (quick or grown.small) and bool(rest.answered and page.answered),
        time.perf_counter() - started,
    )


async def _soak(
    server: Server, keys: list[str], admin: str, seconds: float
) -> tuple[list[Sample], Heard, Heard, list[str]]:
    page, shown_to = await on_page(server.address), max(1, round(ON_PAGE * len(keys)))
    rest, shown, faults, samples = await asyncio.gather(
        crowd(server.address, max(1, len(keys) - shown_to), seconds, over_rest(keys), _pause),
        crowd(server.address, shown_to, seconds, page, _pause, seed=2),
        _uploads(server.address, admin, seconds),
        _watched(server, seconds),
    )
    return samples, rest, shown, faults


async def _uploads(address: str, admin: str, seconds: float) -> list[str]:
    """What went wrong with documents that came in."""
    faults, until, edition = [], time.monotonic() + seconds, 0
    async with httpx.AsyncClient(base_url=address, headers=bearer(admin), timeout=60, trust_env=False) as client:
        while time.monotonic() < until:
            edition += 1
            number = POLICIES + 1 + edition % EDITED
            file = (f"{number:04}.txt", text_of(number, edition).encode())
            reply = await client.post("/api/documents", files={"file": file})
            taken = reply.json().get("files", [{}])[0].get("outcome")
            if taken not in ("added", "updated"):
                faults.append(f"an upload was {taken or reply.status_code}")
            await asyncio.sleep(min(BETWEEN_UPLOADS, max(0.0, until - time.monotonic())))
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
    return chance.uniform(*PAUSE)
