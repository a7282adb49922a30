"""Line 6: two hundred users over HTTP and fifty on the page, and what becomes of more than can be answered."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from random import Random
from typing import Final

from evaluation.scoreboard.clients import furnish
from evaluation.scoreboard.line import Line
from evaluation.scoreboard.served import serving
from evaluation.scoreboard.stub_model import FIRST_TOKEN, stub_model
from evaluation.scoreboard.users import POLICIES, Heard, crowd, on_page, over_rest

REST_P95: Final = 2.0
PAGE_P95: Final = 1.0
"""Seconds."""
BUSY_MACHINE: Final = 3
"""By what the quick form lets answers take longer: it runs among other tests, and looks for errors first of all."""


def run(work: Path, *, quick: bool) -> Line:
    """200 users for 60 s, 50 on the page for 60 s, 200 who do not wait for 20 s; in the quick form a fifth for 2 s."""
    started = time.perf_counter()
    users, seconds, hurried = (40, 2.0, 2.0) if quick else (200, 60.0, 20.0)
    slack = BUSY_MACHINE if quick else 1
    _, keys = furnish(work / "kb", users, documents=POLICIES)
    with stub_model() as model, serving(work / "kb", **model) as server:
        calm, page, pressed = asyncio.run(_three_crowds(server.address, keys, seconds, hurried))
        alive = server.alive
    crowds, wrong = (calm, page, pressed), calm.wrong + page.wrong + pressed.wrong
    figure = (
        f"over HTTP {_said(calm)}; on the page {_said(page)}; without pauses {_said(pressed)}; "
        f"{sum(wrong.values())} errors" + "".join(f"; {each} ({count} x)" for each, count in wrong.most_common(3))
    )
    return Line(
        6,
        "many users over HTTP with a stub model, and on the page",
        f"{users} users with a key each for {seconds:.0f} s and {users // 4} on the page for as long, who each ask every "
        f"8 to 16 s of a policy of their own; then {users} who ask again at once for {hurried:.0f} s and come back when "
        f"they are told to; the model's first token takes {FIRST_TOKEN} s",
        figure,
        alive and good_enough(*crowds, slack=slack),
        time.perf_counter() - started,
    )


def good_enough(calm: Heard, page: Heard, pressed: Heard, *, slack: float = 1) -> bool:
    """Whether nobody was told anything wrong, or to come back without need, and answers came in time."""
    crowds = (calm, page, pressed)
    return (
        not any(each.wrong for each in crowds)
        and all(each.answered for each in crowds)
        and not calm.later
        and not page.later
        and max(calm.p95, pressed.p95) <= slack * REST_P95
        and page.p95 <= slack * PAGE_P95
    )


async def _three_crowds(address: str, keys: list[str], seconds: float, hurried: float) -> tuple[Heard, Heard, Heard]:
    ask = over_rest(keys)
    await crowd(address, 10, 2.0, ask, lambda _: 0.5)  # the index is opened and the words are counted
    calm = await crowd(address, len(keys), seconds, ask, _reading)
    page = await crowd(address, len(keys) // 4, seconds, await on_page(address), _reading)
    return calm, page, await crowd(address, len(keys), hurried, ask, lambda _: 0.0)


def _reading(chance: Random) -> float:
    """How long a user reads an answer, in seconds."""
    return chance.uniform(8, 16)


def _said(heard: Heard) -> str:
    later = f", {heard.later} told when to come back" if heard.later else ""
    return f"{len(heard.answered)} answers, p95 {heard.p95:.2f} s{later}"
