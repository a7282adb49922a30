"""WeCom's bots: one message that grows, asked after by WeCom until it is finished."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from channels.wechat.crypto import Envelope
from channels.wechat.customer_service import LateAnswers
from channels.wechat.phrases import say
from channels.wechat.settings import WeComBot
from tests.channels.wechat.conftest import Serve
from tests.channels.wechat.simulator import AES_KEY, BOT, TENTH, TOKEN, Platform, WeComUser, client


async def until_finished(user: WeComUser, stream: str, begun: dict[str, Any]) -> list[dict[str, Any]]:
    seen = [begun]
    while not seen[-1]["finish"]:
        await asyncio.sleep(0.1)
        seen.append(await user.poll(stream))
    return seen


def test_an_answer_is_polled_until_it_is_finished(serve_stub: Serve) -> None:
    address, stub = serve_stub(bot=BOT)

    async def ask() -> tuple[list[dict[str, Any]], dict[str, Any]]:
        async with client(address) as http:
            user = WeComUser(http)
            stream, begun = await user.say("[15s][drafts]甲")
            return await until_finished(user, stream, begun), await user.poll(stream)

    seen, again = asyncio.run(ask())
    contents = list(dict.fromkeys(piece["content"] for piece in seen))
    assert contents[0] == say("zh", "working")
    assert contents[-1].startswith("答：")
    assert "草稿一二" in contents
    assert {piece["id"] for piece in seen} == {seen[0]["id"]}
    assert [piece["finish"] for piece in seen] == [False] * (len(seen) - 1) + [True]
    assert again == seen[-1]
    assert len(stub.asked) == 1


def test_a_message_that_comes_again_is_not_asked_again(serve_stub: Serve) -> None:
    address, stub = serve_stub(bot=BOT)

    async def ask() -> list[dict[str, Any]]:
        async with client(address) as http:
            user = WeComUser(http)
            stream, begun = await user.say("[3s]甲", msgid="m1")
            _, again = await user.say("[3s]甲", msgid="m1")
            return [*(await until_finished(user, stream, begun)), again]

    seen = asyncio.run(ask())
    assert seen[-2]["content"] == "答：［3s］甲"
    assert seen[-1]["id"] == "m1"
    assert len(stub.asked) == 1


def test_two_questions_of_one_user_each_in_its_own_message(serve_stub: Serve) -> None:
    address, _ = serve_stub(bot=BOT)

    async def ask() -> list[str]:
        async with client(address) as http:
            user = WeComUser(http)
            begun = [await user.say("[6s]甲"), await user.say("乙")]
            return [(await until_finished(user, *one))[-1]["content"] for one in begun]

    assert asyncio.run(ask()) == ["答：［6s］甲", "答：乙"]


def test_a_stream_nobody_knows_is_finished(serve_stub: Serve) -> None:
    address, _ = serve_stub(bot=BOT)

    async def ask() -> dict[str, Any]:
        async with client(address) as http:
            return await WeComUser(http).poll("unknown")

    assert asyncio.run(ask()) == {"id": "unknown", "finish": True, "content": say("zh", "lost")}


def late_talk(serve_stub: Serve, platform: Platform, respond_at: str) -> tuple[list[dict[str, Any]], str]:
    address, _ = serve_stub(bot=WeComBot(TOKEN, AES_KEY, platform.url), waits=replace(TENTH, stream=0.3))

    async def ask() -> tuple[list[dict[str, Any]], str]:
        async with client(address) as http:
            user = WeComUser(http)
            stream, begun = await user.say("[5s]甲", response_url=respond_at)
            seen = await until_finished(user, stream, begun)
            await asyncio.sleep(0.5)
            _, more = await user.say("继续")
            return seen, more["content"]

    return asyncio.run(ask())


def test_a_late_answer_goes_to_its_own_address(serve_stub: Serve, platform: Platform) -> None:
    platform.reset()
    seen, more = late_talk(serve_stub, platform, f"{platform.url}/cgi-bin/aibot/response?code=1")
    assert seen[-1]["content"] == say("zh", "late")
    (called,) = platform.calls
    assert called[:2] == ("cgi-bin/aibot/response", {"code": "1"})
    assert called[2] == {"msgtype": "markdown", "markdown": {"content": "答：［5s］甲"}}
    assert more == say("zh", "nothing")


@pytest.mark.parametrize("respond_at", ["", "http://127.0.0.1:9/x", "{url}.evil.example/x", "file:///etc/passwd"])
def test_an_address_elsewhere_is_not_called_and_the_answer_can_be_fetched(
    serve_stub: Serve, platform: Platform, respond_at: str
) -> None:
    platform.reset()
    _, more = late_talk(serve_stub, platform, respond_at.format(url=platform.url))
    assert platform.calls == []
    assert more == "答：［5s］甲"


@pytest.mark.parametrize(
    ("respond_at", "called"),
    [
        ("https://qyapi.weixin.qq.com/cgi-bin/aibot/response?code=1", ["/cgi-bin/aibot/response?code=1"]),
        ("https://qyapi.weixin.qq.com.evil.example/x", []),
        ("https://qyapi.weixin.qq.com@evil.example/x", []),
        ("http://qyapi.weixin.qq.com/x", []),
    ],
)
def test_only_the_platforms_own_addresses_are_called(
    respond_at: str, called: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[str] = []

    async def call(self: LateAnswers, method: str, path: str, *_: Any) -> dict[str, Any]:
        paths.append(path)
        return {"errcode": 0}

    async def answer() -> bool:
        late = LateAnswers("https://qyapi.weixin.qq.com")
        taken = await late.answer(respond_at, "甲")
        await late.close()
        return taken

    monkeypatch.setattr(LateAnswers, "call", call)
    assert asyncio.run(answer()) == bool(called)
    assert paths == called


def test_other_messages(serve_stub: Serve) -> None:
    address, stub = serve_stub(bot=BOT)

    async def ask() -> list[Any]:
        async with client(address) as http:
            user = WeComUser(http)
            common = {"msgid": "e1", "from": {"userid": "li"}}
            entered = await user.post(**common, msgtype="event", event={"eventtype": "enter_chat"})
            other = await user.post(**common, msgtype="event", event={"eventtype": "feedback_event"})
            picture = await user.post(**{**common, "msgid": "e2"}, msgtype="image", image={"url": "x"})
            return [
                entered,
                other,
                picture,
                (await user.say("新话题"))[1]["content"],
                (await user.say("继续"))[1]["content"],
            ]

    entered, other, picture, afresh, more = asyncio.run(ask())
    assert entered["text"]["content"].count("· ") == 3
    assert other == {}
    assert picture["stream"]["content"] == say("zh", "unsupported")
    assert (afresh, more) == (say("zh", "afresh"), say("zh", "nothing"))
    assert stub.asked == []


def test_the_check_of_the_address(serve_stub: Serve) -> None:
    address, _ = serve_stub(bot=BOT)
    sealed = Envelope(TOKEN, AES_KEY, "").seal("echo", "1")
    query = {"msg_signature": sealed.signature, "timestamp": sealed.timestamp, "nonce": "1", "echostr": sealed.encrypt}

    async def check() -> httpx.Response:
        async with client(address) as http:
            return await http.get("/wecom/bot", params=query)

    assert asyncio.run(check()).text == "echo"
