"""The other ends: an assistant that takes its time, WeChat that drops connections and asks again, and the platforms' APIs."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import httpx
from fastapi import FastAPI, Request

from assistant.answer import Answer, Checks, Claim
from channels.wechat.crypto import Envelope, Sealed, sign
from channels.wechat.settings import OfficialAccount, Waits, WeComApp, WeComBot
from vectorstore.catalog import Catalog

TOKEN = "spamtest"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
APP_ID = "wx2c2769f8efd9abc2"
CORP_ID = "ww1436e0e65a779aee"
SECRET = "a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5"
FAULT = "该公众号提供的服务出现故障，请稍后再试"

SAFE = OfficialAccount(TOKEN, APP_ID, aes_key=AES_KEY)
PLAIN = OfficialAccount(TOKEN, APP_ID)
BOT = WeComBot(TOKEN, AES_KEY)

# Everything at a tenth, so that WeChat's 5 s are half a second. Its clock counts whole seconds, so it is not looked at.
SCALE = 0.1
TENTH = Waits(
    hold=0.45, dropped=0.5, last_after=float("inf"), pending=60, kept=6, conversation=180, vouched=1.0, poll=0.02, stream=33
)  # fmt: skip


def certified(api: str) -> OfficialAccount:
    return OfficialAccount(TOKEN, APP_ID, aes_key=AES_KEY, secret=SECRET, api=api)


def wecom_app(api: str) -> WeComApp:
    return WeComApp(CORP_ID, "218", SECRET, TOKEN, AES_KEY, api)


def client(address: str) -> httpx.AsyncClient:
    """A client that takes as many connections as there are users."""
    return httpx.AsyncClient(base_url=address, limits=httpx.Limits(max_connections=None), trust_env=False)


def stub_answer(question: str, text: str) -> Answer:
    claim = Claim(text, (), Checks(quote=True, numbers=True))
    return Answer(
        "a1", "2026-01-01", "answered", text, (claim,), (), (), (), question, question, "zh", "extractive"
    )  # fmt: skip


@dataclass
class StubAssistant:
    """Answers "答：" and the question, after as many seconds as "[6s]" in it says; "[long]" makes three parts of it."""

    store: Any
    scale: float = SCALE
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    @classmethod
    def over(cls, folder: Path, scale: float = SCALE) -> StubAssistant:
        return cls(SimpleNamespace(catalog=Catalog(folder / "catalog.sqlite3")), scale)

    def ask(self, question: str, *, history: Sequence[str] = ()) -> Answer:
        self.asked.append((question, tuple(history)))
        seconds = re.search(r"\[([\d.]+)s\]", question)
        if seconds:
            time.sleep(float(seconds[1]) * self.scale)
        if "[broken]" in question:
            raise RuntimeError("a secret detail")
        text = f"答：{question}"
        if "[long]" in question:
            text += "".join(f"第{number}句说的是政策里写着的一件事。" for number in range(100))
        return stub_answer(question, text)

    def stream(self, question: str, *, history: Sequence[str] = ()) -> Any:
        if "[drafts]" in question:
            for text in ("草稿一", "草稿一二"):
                time.sleep(0.6)
                yield stub_answer(question, text)
        yield self.ask(question, history=history)


@dataclass
class Talk:
    """What a user saw of one message: a text, or nothing; and after how many requests."""

    shown: str | None
    attempts: int


@dataclass
class WeChat:
    """Sends messages of users to an official account as WeChat does, and takes the replies as strictly."""

    client: httpx.AsyncClient
    account: OfficialAccount = SAFE
    scale: float = SCALE

    def __post_init__(self) -> None:
        key = self.account.aes_key
        self.envelope = Envelope(self.account.token, key, self.account.app_id) if key else None

    def request(self, xml: str) -> dict[str, Any]:
        """What a message is posted with."""
        timestamp, nonce = str(int(time.time())), str(secrets.randbelow(10**9))
        query = {"signature": sign(self.account.token, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
        if self.envelope is None:
            return {"params": query, "content": xml.encode()}
        sealed = self.envelope.seal(xml, nonce, timestamp=timestamp)
        query |= {"openid": "user", "encrypt_type": "aes", "msg_signature": sealed.signature}
        return {"params": query, "content": envelope_xml(sealed)}

    async def say(self, user: str, text: str) -> Talk:
        return await self.send(user, text_message(user, text))

    async def send(self, user: str, xml: str) -> Talk:
        """A message, sent up to three times."""
        for attempt in (1, 2, 3):
            try:
                async with asyncio.timeout(5 * self.scale):
                    response = await self.client.post("/wechat", timeout=30, **self.request(xml))
            except (TimeoutError, httpx.TransportError):
                continue
            if response.status_code == 200 and response.text in ("", "success"):
                return Talk(None, attempt)
            assert response.status_code == 200, response.status_code
            return Talk(self.opened(user, response.text), attempt)
        return Talk(FAULT, 3)

    def opened(self, user: str, body: str) -> str:
        if self.envelope is not None:
            fields = xml_fields(body)
            assert set(fields) == {"Encrypt", "MsgSignature", "TimeStamp", "Nonce"}
            body = self.envelope.open(
                fields["Encrypt"], fields["MsgSignature"], fields["TimeStamp"], fields["Nonce"]
            )  # fmt: skip
        fields = xml_fields(body)
        assert (fields["ToUserName"], fields["FromUserName"], fields["MsgType"]) == (user, "gh_1", "text")
        assert fields["CreateTime"].isdecimal()
        assert 0 < len(fields["Content"].encode()) <= 2048
        return fields["Content"]


def text_message(user: str, text: str, number: int | None = None, created: int | None = None) -> str:
    number = secrets.randbelow(10**18) if number is None else number
    return (
        f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[{user}]]></FromUserName>"
        f"<CreateTime>{created or int(time.time())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{text}]]></Content><MsgId>{number}</MsgId></xml>"
    )


def event_message(user: str, event: str, extra: str = "") -> str:
    return (
        f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[{user}]]></FromUserName>"
        f"<CreateTime>{int(time.time())}</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        f"<Event><![CDATA[{event}]]></Event>{extra}</xml>"
    )


def envelope_xml(sealed: Sealed) -> bytes:
    return (
        f"<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{sealed.encrypt}]]></Encrypt></xml>".encode()
    )


def xml_fields(body: str) -> dict[str, str]:
    return {child.tag: child.text or "" for child in ElementTree.fromstring(body)}


@dataclass
class WeComUser:
    """Sends a user's messages to a bot as WeCom does."""

    client: httpx.AsyncClient
    envelope: Envelope = field(default_factory=lambda: Envelope(TOKEN, AES_KEY, ""))

    async def post(self, **fields: Any) -> dict[str, Any]:
        """The reply to a message, opened."""
        timestamp, nonce = str(int(time.time())), secrets.token_hex(4)
        sealed = self.envelope.seal(json.dumps(fields), nonce, timestamp=timestamp)
        query = {"msg_signature": sealed.signature, "timestamp": timestamp, "nonce": nonce}
        response = await self.client.post("/wecom/bot", params=query, json={"encrypt": sealed.encrypt}, timeout=30)
        assert response.status_code == 200
        if not response.text:
            return {}
        reply = response.json()
        assert reply["nonce"] == nonce
        opened = self.envelope.open(reply["encrypt"], reply["msgsignature"], str(reply["timestamp"]), nonce)
        return dict(json.loads(opened))

    async def say(self, text: str, user: str = "li", **more: Any) -> tuple[str, dict[str, Any]]:
        """The message's id and the reply's stream."""
        fields = {
            "msgid": secrets.token_hex(8),
            "aibotid": "bot",
            "chattype": "single",
            "from": {"userid": user},
            **more,
        }
        reply = await self.post(**fields, msgtype="text", text={"content": text})
        assert reply["msgtype"] == "stream"
        return fields["msgid"], reply["stream"]

    async def poll(self, stream: str, user: str = "li") -> dict[str, Any]:
        reply = await self.post(
            msgid=secrets.token_hex(8), aibotid="bot", chattype="single", **{"from": {"userid": user}},
            msgtype="stream", stream={"id": stream},
        )  # fmt: skip
        return dict(reply["stream"])


@dataclass
class Platform:
    """A stand-in for api.weixin.qq.com and qyapi.weixin.qq.com: `codes` are what the next calls are answered with."""

    url: str = ""
    codes: dict[str, list[int]] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    tokens: int = 0

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.api_route("/{path:path}", methods=["GET", "POST"])
        async def answer(request: Request, path: str) -> dict[str, Any]:
            raw = await request.body()
            assert b"\\u" not in raw  # WeChat shows escapes to the user as they are
            self.calls.append((path, dict(request.query_params), json.loads(raw) if raw else {}))
            code = self.codes[path].pop(0) if self.codes.get(path) else 0
            if code:
                return {"errcode": code, "errmsg": "told to fail"}
            if path in ("cgi-bin/stable_token", "cgi-bin/gettoken"):
                self.tokens += 1
                return {"access_token": f"token-{self.tokens}", "expires_in": 7200}
            return {"errcode": 0, "errmsg": "ok"}

        return app

    def sent(self, path: str) -> list[dict[str, Any]]:
        return [body for called, _, body in self.calls if called == path]

    def reset(self) -> None:
        self.codes, self.calls, self.tokens = {}, [], 0
