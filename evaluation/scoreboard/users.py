"""Many users of one server, each asking of a policy that nobody else asks of at the moment, and what they were told."""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from evaluation.scoreboard.clients import bearer
from evaluation.scoreboard.policies import percent

POLICIES: Final = 60
LOAD: Final = 0.7
"""The share of what a server can answer that users who read their answers ask for."""
HURRIED: Final = 12
"""Users who ask without a pause, to see what it can answer; each stays within what a key may ask."""
GIVE_UP: Final = 30
"""Seconds after which a user gives up, which is counted as an error."""

OPENINGS: Final = (
    "",
    "请问",
    "你好，请问",
    "想问一下，",
    "麻烦问一下",
    "请问一下，",
    "您好，",
    "咨询一下，",
    "我想问",
    "请教一下，",
)
ENDINGS: Final = ("？", "?", "呢？", "啊？", "呀？", "，谢谢", "？谢谢", "，谢谢！", "？谢谢！", "？？", "呢", "啊", "呀", "", "呢?", "啊?", "？多谢", "，多谢", "，麻烦了", "？麻烦了")  # fmt: skip

Ask = Callable[[httpx.AsyncClient, int, int], Awaitable["Told"]]
"""Asks of a policy as a user; both are numbers."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a question: how long it took, and what is wrong about the reply, if anything.

    `later` is after how many seconds the user was told to ask again.
    """

    seconds: float
    wrong: str = ""
    later: float = 0.0


@dataclass(frozen=True, slots=True)
class Heard:
    """What all users were told."""

    told: Sequence[Told]

    @property
    def answered(self) -> list[float]:
        """The seconds that right answers took."""
        return [each.seconds for each in self.told if not each.wrong and not each.later]

    @property
    def later(self) -> int:
        return sum(each.later > 0 for each in self.told)

    @property
    def wrong(self) -> Counter[str]:
        return Counter(each.wrong for each in self.told if each.wrong)

    @property
    def p95(self) -> float:
        """Seconds."""
        return percent(self.answered, 0.95)


async def crowd(
    address: str, users: int, seconds: float, ask: Ask, pause: Callable[[random.Random], float], seed: int = 1
) -> Heard:
    """Users who ask, wait a while and ask again, until the time is up; each begins at another moment of a pause.

    Who is told to ask again later does so.
    """
    told: list[Told] = []
    until = time.monotonic() + seconds
    secure = ssl.create_default_context()  # made once, as making it takes longer than an answer

    async def user(number: int) -> None:
        chance = random.Random(seed * 1000 + number)  # noqa: S311 - a plan that can be repeated, not a secret
        await asyncio.sleep(chance.random() * min(pause(chance), seconds))
        # A client each: one pool of hundreds of connections takes more time to look through than the server to answer.
        async with httpx.AsyncClient(base_url=address, timeout=GIVE_UP, verify=secure, trust_env=False) as client:
            while time.monotonic() < until:
                begun = time.perf_counter()
                try:
                    reply = await ask(client, number, chance.randint(1, POLICIES))
                except (httpx.HTTPError, OSError, ValueError, KeyError) as error:
                    reply = Told(time.perf_counter() - begun, wrong=type(error).__name__)
                told.append(reply)
                await asyncio.sleep(min(reply.later or pause(chance), max(0.0, until - time.monotonic())))

    await asyncio.gather(*(user(number) for number in range(users)))
    return Heard(told)


async def capacity(address: str, keys: Sequence[str], seconds: float) -> float:
    """How many questions a server answers in a second."""
    begun = time.monotonic()
    heard = await crowd(address, HURRIED, seconds, over_rest(keys), lambda _: 0.0, seed=9)
    return len(heard.answered) / (time.monotonic() - begun)


def users_within(answers: float, pause: float, *, most: int) -> int:
    """How many users, at most so many, who ask every `pause` seconds ask for LOAD of so many answers a second."""
    return min(most, max(2, round(LOAD * answers * pause)))


def over_rest(keys: Sequence[str]) -> Ask:
    """Asks as a program does, each user with a key of its own."""

    async def ask(client: httpx.AsyncClient, user: int, policy: int) -> Told:
        begun = time.perf_counter()
        reply = await client.post("/api/ask", json={"question": question(policy, user)}, headers=bearer(keys[user]))
        spent = time.perf_counter() - begun
        if reply.status_code in (429, 503):
            told = bool(reply.json()["error"]["message"])
            return Told(spent, "" if told else "refused without a word", float(reply.headers["retry-after"]))
        if reply.status_code != 200:
            return Told(spent, f"status {reply.status_code}")
        return Told(spent, _wrong(reply.json(), policy))

    return ask


async def on_page(address: str) -> Ask:
    """Asks as the page does: an event in its queue, and its steps until it is over."""
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        wired = (await client.get("/config")).json()["dependencies"]
    typed = next(found["id"] for found in wired if "submit" in [target[1] for target in found["targets"]])

    async def ask(client: httpx.AsyncClient, user: int, policy: int) -> Told:
        begun = time.perf_counter()
        session = f"{user}-{id(client)}"  # a user's page is open all the time
        body = {"fn_index": typed, "data": [question(policy, user), None, None, {}], "session_hash": session}
        joined = await client.post("/gradio_api/queue/join", json=body)
        if joined.status_code in (429, 503):
            return Told(time.perf_counter() - begun, later=float(joined.headers["retry-after"]))
        if joined.status_code != 200:
            return Told(time.perf_counter() - begun, f"status {joined.status_code}")
        steps: list[Any] = []
        async with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    steps.append(json.loads(line[6:]))
                    if steps[-1]["msg"] in ("process_completed", "unexpected_error", "close_stream"):
                        break
        shown = any(f"第{policy}号项目" in json.dumps(step, ensure_ascii=False).split("<mark")[-1] for step in steps)
        done = bool(steps) and steps[-1].get("success") is True and shown
        end = steps[-1]["msg"] if steps else "no event"
        return Told(time.perf_counter() - begun, "" if done else f"no answer on the page ({end})")

    return ask


def question(policy: int, user: int) -> str:
    """What a user asks of a policy; the answer is in that policy alone, and nobody else asks in the same words."""
    return f"{OPENINGS[user % len(OPENINGS)]}海州市第{policy}号项目最高奖励多少{ENDINGS[user // len(OPENINGS) % len(ENDINGS)]}"


def _wrong(answer: dict[str, Any], policy: int) -> str:
    if answer["status"] != "answered":
        return f"an answer was {answer['status']}"
    quotes = [cited["quote"] for cited in answer["citations"]]
    return "" if quotes and all(f"第{policy}号项目" in quote for quote in quotes) else "another policy was quoted"
