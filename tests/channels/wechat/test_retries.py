"""The retry machine, over real HTTP with WeChat's 5 s and three attempts, at a tenth of the time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from channels.wechat import Waits
from channels.wechat.phrases import say
from tests.channels.wechat.conftest import Serve
from tests.channels.wechat.simulator import FAULT, PLAIN, Talk, WeChat, client, event_message, text_message

PENDING = say("zh", "pending")
NOTHING = say("zh", "nothing")


async def until_answered(wechat: WeChat, user: str, question: str) -> list[Talk]:
    """A patient user's talk: the question, and 继续 for as long as that is what is asked for."""
    talks = [await wechat.say(user, question)]
    while talks[-1].shown == PENDING:
        await asyncio.sleep(wechat.scale)
        talks.append(await wechat.say(user, "继续"))
    return talks


def answers_in(talks: list[Talk], question: str) -> int:
    return sum((talk.shown or "").count(f"答：{question}") for talk in talks)


@pytest.fixture(scope="module")
def slow(serve_stub: Serve) -> dict[int, tuple[list[Talk], Talk]]:
    """By how long the answer takes: the user's talk, and what one more 继续 shows."""
    address, _ = serve_stub()

    async def ask(seconds: int) -> tuple[list[Talk], Talk]:
        async with client(address) as http:
            wechat = WeChat(http)
            talks = await until_answered(wechat, f"user{seconds}", f"[{seconds}s]的问题")
            return talks, await wechat.say(f"user{seconds}", "继续")

    async def everything() -> dict[int, tuple[list[Talk], Talk]]:
        await ask(0)  # what is loaded for the first question takes longer than its wait
        times = (1, 4, 6, 11, 14, 20, 70)
        return dict(zip(times, await asyncio.gather(*map(ask, times)), strict=True))

    return asyncio.run(everything())


@pytest.mark.parametrize(
    ("seconds", "attempts", "asks_for_it"),
    [(1, {1}, False), (4, {1, 2}, False), (6, {2}, False), (11, {3}, False), (14, {3}, None), (20, {3}, True), (70, {3}, True)],
)  # fmt: skip
def test_a_slow_answer_arrives_once(slow: Any, seconds: int, attempts: set[int], asks_for_it: bool | None) -> None:
    talks, one_more = slow[seconds]
    assert answers_in(talks, f"[{seconds}s]的问题") == 1
    assert talks[0].attempts in attempts
    assert asks_for_it is None or asks_for_it == (len(talks) > 1)
    assert FAULT not in [talk.shown for talk in talks]
    assert one_more.shown == NOTHING


def test_an_answer_after_6_seconds_of_real_time(serve_stub: Serve) -> None:
    address, stub = serve_stub(scale=1.0, waits=Waits())

    async def ask() -> Talk:
        async with client(address) as http:
            return await WeChat(http, scale=1.0).say("user", "[6s]的问题")

    begun = time.monotonic()
    assert asyncio.run(ask()) == Talk("答：[6s]的问题", 2)
    assert 5.9 < time.monotonic() - begun < 7.5
    assert len(stub.asked) == 1


def test_200_users_at_once_lose_nothing(serve_stub: Serve) -> None:
    address, stub = serve_stub(scale=1.0, waits=Waits())

    async def everyone() -> list[list[Talk]]:
        async with client(address) as http:
            wechat = WeChat(http, scale=1.0)
            return await asyncio.gather(
                *(until_answered(wechat, f"user{number}", f"[0.2s]第{number}个") for number in range(200))
            )

    talks = asyncio.run(everyone())
    assert [answers_in(talk, f"[0.2s]第{number}个") for number, talk in enumerate(talks)] == [1] * 200
    assert sum("答：" in (talk.shown or "") for said in talks for talk in said) == 200
    assert len(stub.asked) == 200


def test_two_questions_in_a_row_each_get_their_own_answer(serve_stub: Serve) -> None:
    address, stub = serve_stub()

    async def ask() -> list[Talk]:
        async with client(address) as http:
            wechat = WeChat(http)
            first = asyncio.create_task(wechat.say("user", "[7s]甲"))
            await asyncio.sleep(0.1)
            second = asyncio.create_task(wechat.say("user", "[3s]乙"))
            return [await first, await second]

    first, second = asyncio.run(ask())
    assert (first.shown, second.shown) == ("答：[7s]甲", "答：[3s]乙")
    # One after the other, the second in the conversation that the first began.
    assert stub.asked == [("[7s]甲", ()), ("[3s]乙", ("[7s]甲",))]


def test_a_question_while_another_is_pending_is_answered_and_so_is_the_other(serve_stub: Serve) -> None:
    address, _ = serve_stub()

    async def ask() -> list[str | None]:
        async with client(address) as http:
            wechat = WeChat(http)
            shown = [(await wechat.say("user", "[20s]甲")).shown, (await wechat.say("user", "[15s]乙")).shown]
            for _ in range(12):
                shown.append((await wechat.say("user", "继续")).shown)
                if shown[-1] == NOTHING:
                    break
            return shown

    shown = asyncio.run(ask())
    assert shown[0] == PENDING
    said = [text for text in shown if text not in (PENDING, NOTHING)]
    assert [sum(f"答：{question}" in (text or "") for text in said) for question in ("[20s]甲", "[15s]乙")] == [1, 1]
    assert shown[-1] == NOTHING


def test_a_late_repetition_gets_the_same_bytes(serve_stub: Serve) -> None:
    address, stub = serve_stub()

    async def ask() -> tuple[bytes, bytes]:
        async with client(address) as http:
            wechat, xml = WeChat(http), text_message("user", "甲", 7)
            first = await http.post("/wechat", **wechat.request(xml))
            await asyncio.sleep(0.3)
            return first.content, (await http.post("/wechat", **wechat.request(xml))).content

    first, again = asyncio.run(ask())
    assert first == again
    assert len(stub.asked) == 1


def test_the_third_attempt_is_known_by_the_messages_age_if_the_first_ones_never_came(serve_stub: Serve) -> None:
    waits = Waits(hold=0.3, dropped=0.5, vouched=1.0)
    address, _ = serve_stub(waits=waits)

    async def ask() -> tuple[float, str]:
        async with client(address) as http:
            wechat, begun = WeChat(http), time.monotonic()
            xml = text_message("user", "[50s]甲", created=int(time.time()) - 11)
            response = await http.post("/wechat", **wechat.request(xml))
            return time.monotonic() - begun, wechat.opened("user", response.text)

    spent, shown = asyncio.run(ask())
    assert shown == PENDING
    assert spent < 0.5


def test_an_answer_is_not_delivered_to_a_connection_that_broke_early(serve_stub: Serve) -> None:
    address, _ = serve_stub()

    async def ask() -> list[str | None]:
        async with client(address) as http:
            # Three connections that break after 0.2 s; the third attempt would have waited for the answer.
            shown = [(await WeChat(http, scale=0.04).say("user", "[7s]甲")).shown]
            await asyncio.sleep(0.5)
            return [*shown, *[(await WeChat(http).say("user", "继续")).shown for _ in range(2)]]

    assert asyncio.run(ask()) == [FAULT, "「[7s]甲」\n答：[7s]甲", NOTHING]


def test_an_answer_is_not_delivered_too_late_where_the_catalog_was_busy(serve_stub: Serve) -> None:
    address, stub = serve_stub()
    catalog = stub.store.catalog

    def keep_busy() -> None:
        with catalog.transaction(searched=False):
            time.sleep(1.8)
        catalog.connection().close()

    async def ask() -> list[str | None]:
        async with client(address) as http:
            asked = asyncio.create_task(WeChat(http).say("user", "[2s]甲"))
            await asyncio.sleep(0.1)
            busy = asyncio.create_task(asyncio.to_thread(keep_busy))
            shown = [(await asked).shown]
            await busy
            await asyncio.sleep(0.5)
            return [*shown, *[(await WeChat(http).say("user", "继续")).shown for _ in range(2)]]

    assert asyncio.run(ask()) == [FAULT, "「[2s]甲」\n答：[2s]甲", NOTHING]


def test_a_long_answer_is_turned_page_by_page(serve_stub: Serve) -> None:
    address, stub = serve_stub(official=PLAIN)

    async def ask() -> list[str]:
        async with client(address) as http:
            wechat = WeChat(http, PLAIN)
            shown = [(await wechat.say("user", "[long]甲")).shown or ""]
            while NOTHING not in shown:
                shown.append((await wechat.say("user", " 『继续』 " if len(shown) == 1 else "１")).shown or "")
            return shown[:-1]

    parts = asyncio.run(ask())
    assert len(parts) >= 3
    assert all(part.endswith("（未完，回复“继续”看下文）") for part in parts[:-1])
    text = "".join(part.removesuffix("（未完，回复“继续”看下文）").strip() for part in parts)
    assert text == stub.ask("[long]甲").text


@pytest.fixture
def talk(serve_stub: Serve) -> Callable[..., list[str | None]]:
    """What is shown for some texts (or whole messages) of one user, one after the other, by a server of its own."""

    def said(*texts: str, **options: Any) -> list[str | None]:
        address, talk.stub = serve_stub(**options)  # type: ignore[attr-defined]

        async def ask() -> list[str | None]:
            async with client(address) as http:
                wechat = WeChat(http)
                send = [
                    wechat.send("user", text) if text.startswith("<") else wechat.say("user", text) for text in texts
                ]
                return [(await one).shown for one in send]

        return asyncio.run(ask())

    talk = said
    return said


def test_nothing_is_left_without_a_question(talk: Any) -> None:
    assert talk("继续", "1", "continue") == [NOTHING, NOTHING, say("en", "nothing")]


def test_a_new_topic_forgets_the_conversation(serve_stub: Serve) -> None:
    address, stub = serve_stub()

    async def ask() -> None:
        async with client(address) as http:
            for text in ("甲", "乙", "新话题", "丙", "丁"):
                await WeChat(http).say("user", text)

    asyncio.run(ask())
    assert stub.asked == [("甲", ()), ("乙", ("甲",)), ("丙", ()), ("丁", ("丙",))]


def test_more_than_20_questions_a_minute_have_to_wait(talk: Any) -> None:
    shown = talk(*(f"第{number}个" for number in range(21)))
    assert all("答：" in (text or "") for text in shown[:20])
    assert "提问太快" in (shown[20] or "")


def test_events(talk: Any) -> None:
    shown = talk(
        event_message("user", "subscribe"),
        event_message("user", "SCAN", "<EventKey><![CDATA[7]]></EventKey>"),
        event_message("user", "unsubscribe"),
        event_message("user", "LOCATION"),
        event_message("user", "CLICK", "<EventKey><![CDATA[怎么申请？]]></EventKey>"),
    )
    assert shown[0] is not None
    assert shown[0].count("· ") == 3
    assert shown[1:] == [shown[0], None, None, "答：怎么申请？"]


def test_voice_and_pictures(talk: Any) -> None:
    def of_kind(kind: str, extra: str = "") -> str:
        xml = text_message("user", "x").replace("<![CDATA[text]]>", f"<![CDATA[{kind}]]>")
        return xml.replace("</xml>", f"{extra}</xml>")

    heard = of_kind("voice", "<Recognition><![CDATA[怎么申请？]]></Recognition>")
    shown = talk(of_kind("voice"), heard, of_kind("image"))
    assert shown == [say("zh", "unheard"), "答：怎么申请？", say("zh", "unsupported")]


def test_a_failure_is_an_apology_without_details(talk: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert talk("[broken]甲") == [say("zh", "failed")]


def test_an_answer_with_markup_is_whole_xml(talk: Any) -> None:
    hostile = "]]]]><![CDATA[></xml>&amp;<b>"
    (shown,) = talk(text_message("user", hostile))
    assert shown == "答：]]></xml>&amp;<b>"
