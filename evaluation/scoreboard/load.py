"""Line 6: what a server answers, users who ask for seven tenths of that, and what becomes of more than can be answered."""

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
from evaluation.scoreboard.users import (
    HURRIED,
    LOAD,
    POLICIES,
    Heard,
    capacity,
    crowd,
    on_page,
    over_rest,
    users_within,
)

REST_P95: Final = 2.0
PAGE_P95: Final = 2.0
"""Seconds."""
PRESSED_P95: Final = 7.0
"""Seconds, where more is asked than can be answered: twice the patience of a question, and its answer."""
READING: Final = (8.0, 16.0)
"""How long a user reads an answer, in seconds."""
BUSY_MACHINE: Final = 3
"""By what the quick form lets answers take longer: it runs among other tests, and looks for errors first of all."""


def run(work: Path, *, quick: bool) -> Line:
    """What is answered in 20 s; users for 60 s, over HTTP and on the page; 200 who do not wait for 20 s. Quick: 2 s each."""
    started = time.perf_counter()
    seconds, hurried, many = (2.0, 2.0, 40) if quick else (60.0, 20.0, 200)
    slack = BUSY_MACHINE if quick else 1
    _, keys = furnish(work / "kb", many, documents=POLICIES)
    with stub_model() as model, serving(work / "kb", **model) as server:
        answers, users, (calm, page, pressed) = asyncio.run(_crowds(server.address, keys, seconds, hurried))
        alive = server.alive
    crowds, wrong = (calm, page, pressed), calm.wrong + page.wrong + pressed.wrong
    figure = (
        f"{answers:.1f} answers/s at most; {users} users over HTTP {_said(calm)}; as many on the page {_said(page)}; "
        f"without pauses {_said(pressed)}; "
        f"{sum(wrong.values())} errors" + "".join(f"; {each} ({count} x)" for each, count in wrong.most_common(3))
    )
    return Line(
        6,
        "many users over HTTP with a stub model, and on the page",
        f"as many users with a key each as ask for {LOAD:.0%} of what the server can answer, every 8 to 16 s of a policy of "
        f"their own, for {seconds:.0f} s over HTTP and for as long on the page; then {many} who ask again at once for "
        f"{hurried:.0f} s and come back when they are told to; no two ask in the same words; the model's first token takes "
        f"{FIRST_TOKEN} s",
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
        and calm.p95 <= slack * REST_P95
        and page.p95 <= slack * PAGE_P95
        and pressed.p95 <= slack * PRESSED_P95
    )


async def _crowds(
    address: str, keys: list[str], seconds: float, hurried: float
) -> tuple[float, int, tuple[Heard, Heard, Heard]]:
    ask = over_rest(keys)
    await crowd(address, HURRIED, 2.0, ask, lambda _: 0.5)  # the index is opened and the words are counted
    answers = await capacity(address, keys, hurried)
    users = users_within(answers, min(sum(READING) / 2, seconds), most=len(keys))
    calm = await crowd(address, users, seconds, ask, _reading)
    page = await crowd(address, users, seconds, await on_page(address), _reading, seed=2)
    return answers, users, (calm, page, await crowd(address, len(keys), hurried, ask, lambda _: 0.0, seed=3))


def _reading(chance: Random) -> float:
    return chance.uniform(*READING)


def _said(heard: Heard) -> str:
    later = f", {heard.later} told when to come back" if heard.later else ""
    return f"{len(heard.answered)} answers, p95 {heard.p95:.2f} s{later}"
