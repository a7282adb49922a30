"""Certified accounts and WeCom's app: `success` at once, answers by the platform's API, whose codes are minded."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import Any

import httpx
import pytest

from channels.wechat.crypto import Envelope
from channels.wechat.customer_service import CustomerService
from channels.wechat.phrases import say
from tests.channels.wechat.conftest import Serve
from tests.channels.wechat.simulator import (
    AES_KEY,
    APP_ID,
    CORP_ID,
    SECRET,
    TOKEN,
    Platform,
    Talk,
    WeChat,
    certified,
    client,
    envelope_xml,
    event_message,
    text_message,
    wecom_app,
    xml_fields,
)

CUSTOM, STABLE = "cgi-bin/message/custom/send", "cgi-bin/stable_token"
MESSAGE, GETTOKEN = "cgi-bin/message/send", "cgi-bin/gettoken"


@pytest.fixture(autouse=True)
def nothing_told(platform: Platform) -> None:
    platform.reset()


async def arrived(platform: Platform, path: str, count: int) -> list[dict[str, Any]]:
    give_up = time.monotonic() + 5
    while len(platform.sent(path)) < count and time.monotonic() < give_up:
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.2)
    return platform.sent(path)


def talk(
    serve_stub: Serve, platform: Platform, *texts: str, sent: int = 1, more: int = 0
) -> tuple[list[Talk], list[str]]:
    """What a user of a certified account is replied, and what is sent besides: `sent` at first, `more` for each later text."""
    address, _ = serve_stub(official=certified(platform.url))

    async def ask() -> tuple[list[Talk], list[str]]:
        async with client(address) as http:
            talks, messages = [], []
            for number, text in enumerate(texts):
                talks.append(await WeChat(http, certified(platform.url)).say("user", text))
                messages = await arrived(platform, CUSTOM, sent + number * more)
            return talks, [message["text"]["content"] for message in messages]

    return asyncio.run(ask())


def test_an_answer_follows_as_a_message(serve_stub: Serve, platform: Platform) -> None:
    talks, messages = talk(serve_stub, platform, "[8s]甲")
    assert talks == [Talk(None, 1)]
    assert messages == ["答：[8s]甲"]
    asked = {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET}
    assert platform.sent(STABLE) == [asked]
    assert platform.sent(CUSTOM) == [{"touser": "user", "msgtype": "text", "text": {"content": "答：[8s]甲"}}]


def test_a_token_is_fetched_once_for_many_messages(serve_stub: Serve, platform: Platform) -> None:
    _, messages = talk(serve_stub, platform, "甲", "乙", "丙", more=1)
    assert messages == ["答：甲", "答：乙", "答：丙"]
    assert len(platform.sent(STABLE)) == 1


@pytest.mark.parametrize("code", [40001, 40014, 42001])
def test_a_stale_token_is_fetched_anew_once(serve_stub: Serve, platform: Platform, code: int) -> None:
    platform.codes[CUSTOM] = [code]
    talk(serve_stub, platform, "甲", sent=2)
    assert [query.get("access_token") for path, query, _ in platform.calls if path == CUSTOM] == ["token-1", "token-2"]


def test_a_token_that_stays_stale_is_not_fetched_for_ever(serve_stub: Serve, platform: Platform) -> None:
    platform.codes[CUSTOM] = [40001] * 9
    talks, _ = talk(serve_stub, platform, "甲", "继续", sent=2)
    assert len(platform.sent(CUSTOM)) == 2
    assert talks[1].shown == "「甲」\n答：甲"


@pytest.mark.parametrize(
    ("path", "code", "advice"),
    [(CUSTOM, 40164, "allow-list"), (CUSTOM, 45015, "48 hours"), (CUSTOM, 45047, "too many"), (CUSTOM, 48001, "certified"),
     (STABLE, 40125, "ZHICE_WECHAT_SECRET"), (STABLE, 40164, "allow-list")],
)  # fmt: skip
def test_a_code_is_logged_with_what_to_do_and_the_answer_can_be_fetched(
    serve_stub: Serve, platform: Platform, caplog: pytest.LogCaptureFixture, path: str, code: int, advice: str
) -> None:
    caplog.set_level(logging.DEBUG)
    platform.codes[path] = [code]
    address, _ = serve_stub(official=certified(platform.url))

    async def ask() -> list[Talk]:
        async with client(address) as http:
            wechat = WeChat(http, certified(platform.url))
            first = await wechat.say("user", "甲")
            await arrived(platform, path, 1)
            return [first, await wechat.say("user", "继续"), await wechat.say("user", "继续")]

    assert [said.shown for said in asyncio.run(ask())] == [None, "「甲」\n答：甲", say("zh", "nothing")]
    said = [record.getMessage() for record in caplog.records if record.name.startswith("channels.wechat")]
    assert len(said) == 1
    assert str(code) in said[0]
    assert advice in said[0]
    everything = " ".join(record.getMessage() for record in caplog.records if record.name != "uvicorn.access")
    assert not any(secret in everything for secret in (SECRET, "token-1", "答："))


def test_an_account_that_may_not_send_is_answered_in_replies(serve_stub: Serve, platform: Platform) -> None:
    platform.codes[CUSTOM] = [48001]
    talks, _ = talk(serve_stub, platform, "甲", "乙", sent=1)
    assert [said.shown for said in talks] == [None, "答：乙"]
    assert len(platform.sent(CUSTOM)) == 1


def test_a_busy_platform_is_tried_again(serve_stub: Serve, platform: Platform) -> None:
    platform.codes[CUSTOM] = [-1]
    _, messages = talk(serve_stub, platform, "甲", sent=2)
    assert messages == ["答：甲"] * 2


def test_asking_for_what_is_on_its_way(serve_stub: Serve, platform: Platform) -> None:
    talks, _ = talk(serve_stub, platform, "[6s]甲", "继续", sent=0)
    assert [said.shown for said in talks] == [None, say("zh", "coming")]
    assert asyncio.run(arrived(platform, CUSTOM, 1))[0]["text"]["content"] == "答：[6s]甲"


def test_at_most_5_messages_and_the_rest_when_asked_for(
    serve_stub: Serve, platform: Platform, monkeypatch: Any
) -> None:
    parts = [f"第{number}段" for number in range(7)]
    monkeypatch.setattr("channels.wechat.rendering.Rendering.parts", lambda *_: parts)
    talks, messages = talk(serve_stub, platform, "甲", "继续", "继续", "继续", sent=5)
    assert messages[:4] == parts[:4]
    assert messages[4].startswith(parts[4])
    assert "继续" in messages[4]
    assert len(messages) == 5
    assert [(said.shown or "")[:3] for said in talks] == ["", "第5段", "第6段", "没有待"]


def test_a_token_is_not_fetched_twice_at_once(platform: Platform) -> None:
    async def both() -> list[bool]:
        service = CustomerService(certified(platform.url))
        sent = await asyncio.gather(*(service.send(f"user{number}", "甲") for number in range(10)))
        await service.close()
        return list(sent)

    assert asyncio.run(both()) == [True] * 10
    assert len(platform.sent(STABLE)) == 1


def test_a_platform_that_cannot_be_reached(caplog: pytest.LogCaptureFixture) -> None:
    async def send() -> bool:
        service = CustomerService(certified("http://127.0.0.1:9"))
        sent = await service.send("user", "甲")
        await service.close()
        return sent

    assert not asyncio.run(send())
    assert "ConnectError" in caplog.text


# WeCom's app


class Colleague:
    """Sends messages to a WeCom app."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.envelope = Envelope(TOKEN, AES_KEY, CORP_ID)

    async def send(self, xml: str) -> httpx.Response:
        xml = xml.replace("</xml>", "<AgentID>218</AgentID></xml>") if "AgentID" not in xml else xml
        sealed = self.envelope.seal(xml, secrets.token_hex(4))
        query = {"msg_signature": sealed.signature, "timestamp": sealed.timestamp, "nonce": sealed.nonce}
        return await self.http.post("/wecom", params=query, content=envelope_xml(sealed))

    def opened(self, response: httpx.Response) -> str:
        fields = xml_fields(response.text)
        reply = self.envelope.open(fields["Encrypt"], fields["MsgSignature"], fields["TimeStamp"], fields["Nonce"])
        return xml_fields(reply)["Content"]


def test_wecoms_check_of_the_address(serve_stub: Serve, platform: Platform) -> None:
    address, _ = serve_stub(wecom=wecom_app(platform.url))
    sealed = Envelope(TOKEN, AES_KEY, CORP_ID).seal("1616140317555161061", "263014780")
    query = {
        "msg_signature": sealed.signature,
        "timestamp": sealed.timestamp,
        "nonce": sealed.nonce,
        "echostr": sealed.encrypt,
    }

    async def check() -> httpx.Response:
        async with client(address) as http:
            return await http.get("/wecom", params=query)

    begun = time.monotonic()
    assert asyncio.run(check()).text == "1616140317555161061"
    assert time.monotonic() - begun < 1


def test_a_wecom_app_answers_by_message(serve_stub: Serve, platform: Platform) -> None:
    address, stub = serve_stub(wecom=wecom_app(platform.url))

    async def ask() -> tuple[list[str], list[dict[str, Any]], str, int]:
        async with client(address) as http:
            colleague, xml = Colleague(http), text_message("li", "[8s]甲")
            said = [(await colleague.send(xml)).text for _ in range(3)]
            messages = await arrived(platform, MESSAGE, 1)
            greeted = colleague.opened(await colleague.send(event_message("li", "subscribe")))
            other = (
                await colleague.send(text_message("li", "乙").replace("</xml>", "<AgentID>9</AgentID></xml>"))
            ).status_code
            return said, messages, greeted, other

    said, messages, greeted, other = asyncio.run(ask())
    assert said == ["success"] * 3
    assert messages == [{"touser": "li", "agentid": 218, "msgtype": "text", "text": {"content": "答：[8s]甲"}}]
    assert len(stub.asked) == 1
    assert "知策" in greeted
    assert other == 403
    assert [query for path, query, _ in platform.calls if path == GETTOKEN] == [
        {"corpid": CORP_ID, "corpsecret": SECRET}
    ]


def test_a_wecom_address_that_is_not_trusted(
    serve_stub: Serve, platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    platform.codes[MESSAGE] = [60020]
    address, _ = serve_stub(wecom=wecom_app(platform.url))

    async def ask() -> str:
        async with client(address) as http:
            colleague = Colleague(http)
            await colleague.send(text_message("li", "甲"))
            await arrived(platform, MESSAGE, 1)
            return colleague.opened(await colleague.send(text_message("li", "继续")))

    assert asyncio.run(ask()) == "「甲」\n答：甲"
    assert "60020" in caplog.text
    assert "trusted" in caplog.text
    assert SECRET not in caplog.text
