"""2,000 callbacks that are forged or damaged, to an account in safe mode: none is taken, and none is answered with more than a number."""

from __future__ import annotations

import asyncio
import base64
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.wechat import router
from channels.wechat.crypto import Envelope, sign
from tests.channels.wechat.simulator import (
    AES_KEY,
    APP_ID,
    BOT,
    SAFE,
    TENTH,
    TOKEN,
    StubAssistant,
    WeChat,
    envelope_xml,
    text_message,
    wecom_app,
)
from tests.channels.wechat.test_messages import BOMB, OUTSIDE

Forged = dict[str, Any]

OTHER_KEY = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg"
HOW_MANY = 2000
XML = text_message("user", "怎么申请？")


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubAssistant]:
    made = StubAssistant.over(tmp_path_factory.mktemp("kb"))
    yield made
    made.store.catalog.close()


@pytest.fixture(scope="module")
def app(stub: StubAssistant) -> FastAPI:
    made = FastAPI()
    accounts: Any = {"official": SAFE, "wecom": wecom_app("https://qyapi.weixin.qq.com"), "bot": BOT}
    made.include_router(router(stub, public_url="https://zhice.example", waits=TENTH, **accounts))  # type: ignore[arg-type]
    return made


def genuine() -> Forged:
    wechat = WeChat(None)  # type: ignore[arg-type]
    return wechat.request(XML)


def signed(content: str, envelope: Envelope | None = None) -> Forged:
    """A request that only lacks what is said of it: its signature is right for what it holds."""
    sealed = (envelope or Envelope(TOKEN, AES_KEY, APP_ID)).seal(content, "1")
    query = {"timestamp": sealed.timestamp, "nonce": "1", "encrypt_type": "aes", "msg_signature": sealed.signature}
    return {"params": query, "content": envelope_xml(sealed)}


def wrong_signature(chance: random.Random) -> Forged:
    made = genuine()
    signature = list(made["params"]["msg_signature"])
    place = chance.randrange(40)
    signature[place] = chance.choice([c for c in "0123456789abcdef" if c != signature[place]])
    made["params"]["msg_signature"] = "".join(signature)
    return made


def flipped(chance: random.Random) -> Forged:
    made = genuine()
    body = bytearray(made["content"])
    inside = body.index(b"<Encrypt><![CDATA[") + 18
    place = chance.randrange(inside, body.index(b"]]></Encrypt>"))
    body[place] ^= 1 << chance.randrange(8)
    made["content"] = bytes(body)
    return made


def truncated(chance: random.Random) -> Forged:
    made = genuine()
    made["content"] = made["content"][: chance.randrange(made["content"].index(b"]]></Encrypt>"))]
    return made


def replayed_with_another_body(chance: random.Random) -> Forged:
    return {**genuine(), "content": genuine()["content"]}


def replayed_later(chance: random.Random) -> Forged:
    nonce, timestamp = "1", str(int(time.time()) - chance.randrange(700, 10**6))
    sealed = Envelope(TOKEN, AES_KEY, APP_ID).seal(XML, nonce, timestamp=timestamp)
    query = {"timestamp": timestamp, "nonce": nonce, "encrypt_type": "aes", "msg_signature": sealed.signature}
    return {"params": query, "content": envelope_xml(sealed)}


def other_app_id(chance: random.Random) -> Forged:
    return signed(XML, Envelope(TOKEN, AES_KEY, f"wx{chance.randrange(16**16):016x}"))


def other_key(chance: random.Random) -> Forged:
    return signed(XML, Envelope(TOKEN, OTHER_KEY, APP_ID))


def other_token(chance: random.Random) -> Forged:
    return signed(XML, Envelope("othertoken", AES_KEY, APP_ID))


def plaintext(chance: random.Random) -> Forged:
    timestamp, nonce = str(int(time.time())), str(chance.randrange(10**9))
    query = {"signature": sign(TOKEN, timestamp, nonce), "timestamp": timestamp, "nonce": nonce}
    return {"params": query | ({"encrypt_type": "raw"} if chance.random() < 0.5 else {}), "content": XML.encode()}


def plaintext_said_to_be_encrypted(chance: random.Random) -> Forged:
    return {**genuine(), "content": XML.encode()}


def signed_bombs(chance: random.Random) -> Forged:
    return signed(chance.choice([BOMB, OUTSIDE, "<xml>" * 5000, "<xml>" * 200_000, "", "\x00", "[]", "<xml/>"]))


def signed_rubbish(chance: random.Random) -> Forged:
    encrypt = base64.b64encode(chance.randbytes(chance.choice([0, 1, 15, 16, 32, 48, 320]))).decode()
    timestamp = str(int(time.time()))
    query = {
        "timestamp": timestamp,
        "nonce": "1",
        "encrypt_type": "aes",
        "msg_signature": sign(TOKEN, timestamp, "1", encrypt),
    }
    return {"params": query, "content": f"<xml><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>".encode()}


def bare_bombs(chance: random.Random) -> Forged:
    return {**genuine(), "content": chance.choice([BOMB, OUTSIDE]).encode()}


def missing(chance: random.Random) -> Forged:
    made = genuine()
    del made["params"][chance.choice(["timestamp", "nonce", "msg_signature", "encrypt_type"])]
    return made


def odd_query(chance: random.Random) -> Forged:
    made = genuine()
    name = chance.choice(["timestamp", "nonce", "msg_signature"])
    made["params"][name] = chance.choice(["", "\x00", "密", "9" * 5000, "-1", "1e9", "<script>"])
    return made


KINDS: tuple[Callable[[random.Random], Forged], ...] = (
    wrong_signature, flipped, truncated, replayed_with_another_body, replayed_later, other_app_id, other_key, other_token,
    plaintext, plaintext_said_to_be_encrypted, signed_bombs, signed_rubbish, bare_bombs, missing, odd_query,
)  # fmt: skip


def post_all(app: FastAPI, requests: list[Forged], path: str = "/wechat") -> list[tuple[httpx.Response, float]]:
    """What came back for each, and after how many seconds; an error in the app is raised here."""

    async def post() -> list[tuple[httpx.Response, float]]:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            replies = []
            for request in requests:
                begun = time.perf_counter()
                response = await client.post(path, **request)
                replies.append((response, time.perf_counter() - begun))
            return replies

    return asyncio.run(post())


def test_the_genuine_one_is_taken(app: FastAPI, stub: StubAssistant) -> None:
    ((response, _),) = post_all(app, [genuine()])
    assert response.status_code == 200
    assert [question for question, _ in stub.asked] == ["怎么申请？"]


def test_2000_forged_callbacks(app: FastAPI, stub: StubAssistant, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(20260101)
    kinds = [KINDS[number % len(KINDS)] for number in range(HOW_MANY)]
    asked = len(stub.asked)
    replies = post_all(app, [kind(chance) for kind in kinds])
    wrong = Counter(
        (kind.__name__, reply.status_code) for kind, (reply, _) in zip(kinds, replies, strict=True) if reply.status_code // 100 != 4
    )  # fmt: skip
    assert wrong == {}
    assert {reply.content for reply, _ in replies} == {b""}
    assert len(stub.asked) == asked
    spent = sorted(seconds for _, seconds in replies)
    # Nearly all, because this machine may have other things to do; none takes long by itself.
    assert spent[int(0.98 * HOW_MANY)] < 0.05
    # Of each nothing is logged but the kind.
    assert len(caplog.records) == HOW_MANY
    assert all(
        re.fullmatch(r"a callback to /wechat was refused: [a-z0-9A-Z (),?' _]+", said) for said in caplog.messages
    )
    assert not any(record.exc_info for record in caplog.records)


@pytest.mark.parametrize("path", ["/wecom", "/wecom/bot"])
def test_the_same_at_the_other_doors(app: FastAPI, stub: StubAssistant, path: str) -> None:
    chance = random.Random(7)
    asked = len(stub.asked)
    replies = post_all(app, [KINDS[number % len(KINDS)](chance) for number in range(150)], path)
    assert {reply.status_code // 100 for reply, _ in replies} == {4}
    assert len(stub.asked) == asked


def test_a_body_of_5_mb(app: FastAPI) -> None:
    for content in (b"x" * 5_000_000, XML.encode() * 12_000):
        ((response, spent),) = post_all(app, [{**genuine(), "content": content}])
        assert response.status_code == 413
        assert spent < 0.05
    ((response, _),) = post_all(app, [{**genuine(), "content": b"x", "headers": {"content-length": "x"}}])
    assert response.status_code == 413


def test_a_body_without_a_length_is_cut_off(app: FastAPI) -> None:
    async def pieces() -> Any:
        for _ in range(100):
            yield b"x" * 65536

    ((response, _),) = post_all(app, [{**genuine(), "content": pieces()}])
    assert response.status_code == 413


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=2000), query=st.dictionaries(st.sampled_from(["timestamp", "nonce", "msg_signature", "signature", "encrypt_type"]), st.text(max_size=50)))  # fmt: skip
def test_random_bytes(app: FastAPI, body: bytes, query: dict[str, str]) -> None:
    for path in ("/wechat", "/wecom", "/wecom/bot"):
        params = {name: value.encode(errors="replace").decode() for name, value in query.items()}
        ((response, _),) = post_all(app, [{"params": params, "content": body}], path)
        assert response.status_code // 100 == 4


@pytest.mark.parametrize("path", ["/wechat", "/wecom", "/wecom/bot"])
def test_a_check_of_the_address_with_a_wrong_signature_is_refused(app: FastAPI, path: str) -> None:
    async def get(params: dict[str, str]) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
            return (await client.get(path, params=params)).status_code

    full = {"signature": "0" * 40, "msg_signature": "0" * 40, "timestamp": "1", "nonce": "2", "echostr": "<script>"}
    assert asyncio.run(get(full)) == 403
    assert asyncio.run(get({**full, "signature": "", "msg_signature": ""})) == 400


def test_nothing_else_stands_at_these_addresses(app: FastAPI) -> None:
    async def methods() -> set[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1") as client:
            return {(await client.request(method, "/wechat")).status_code for method in ("PUT", "DELETE", "PATCH")}

    assert asyncio.run(methods()) == {405}


def test_the_samples_of_the_platforms_are_too_old_to_be_taken(app: FastAPI) -> None:
    made = genuine()
    made["params"]["timestamp"] = "1409735669"
    ((response, _),) = post_all(app, [made])
    assert response.status_code == 403


def test_no_file_of_the_package_logs_what_was_sent() -> None:
    package = Path(__file__).parents[3] / "channels" / "wechat"
    logged = [
        line
        for file in package.glob("*.py")
        for line in re.findall(r"logger\.\w+\((.*)", file.read_text(encoding="utf-8"))
    ]
    assert logged
    assert not any(re.search(r"text|question|secret|token|body", re.sub(r'"[^"]*"', "", line)) for line in logged)
