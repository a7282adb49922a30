"""The platforms' published samples, in both directions, and what must not open."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import SettingError
from channels.wechat.crypto import Envelope, Malformed, NotAuthentic, check_fresh, check_signature, ciphertext, sign
from channels.wechat.messages import envelope_fields
from channels.wechat.official import official_router
from channels.wechat.settings import OfficialAccount
from tests.channels.wechat.simulator import AES_KEY, APP_ID, TOKEN

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "wechat_vectors.json").read_text(encoding="utf-8")
)


def of_kind(*kinds: str) -> Any:
    found = [vector for vector in VECTORS if vector["kind"] in kinds]
    return pytest.mark.parametrize("vector", found, ids=[vector["id"] for vector in found])


def envelope(vector: dict[str, Any]) -> Envelope:
    return Envelope(vector["token"], vector["key"], vector["receiveid"])


def test_the_samples_are_all_of_a_kind_that_is_tested() -> None:
    assert {vector["kind"] for vector in VECTORS} == {"sig3", "decrypt", "encrypt"}
    assert len(VECTORS) == 10


@of_kind("sig3")
def test_published_signatures(vector: dict[str, Any]) -> None:
    check_signature(vector["signature"], vector["token"], vector["timestamp"], vector["nonce"])
    with pytest.raises(NotAuthentic):
        check_signature(vector["signature"], vector["token"], vector["timestamp"], vector["nonce"] + "0")


@of_kind("decrypt")
def test_published_envelopes_open(vector: dict[str, Any]) -> None:
    opened = envelope(vector).open(vector["encrypt"], vector["msg_signature"], vector["timestamp"], vector["nonce"])
    assert opened == vector["plain"]


@of_kind("encrypt")
def test_published_envelopes_are_sealed_to_the_same_bytes(vector: dict[str, Any]) -> None:
    nonce, timestamp = vector.get("nonce", "1"), vector.get("timestamp", "1")
    sealed = envelope(vector).seal(vector["plain"], nonce, timestamp=timestamp, random=vector["random"])
    assert sealed.encrypt == vector["encrypt"]
    assert sealed.signature == vector.get("msg_signature", sealed.signature)


@of_kind("decrypt", "encrypt")
def test_what_is_sealed_opens(vector: dict[str, Any]) -> None:
    box = envelope(vector)
    sealed = box.seal(vector["plain"], "12345")
    assert box.open(sealed.encrypt, sealed.signature, sealed.timestamp, sealed.nonce) == vector["plain"]
    assert box.seal(vector["plain"], "12345").encrypt != sealed.encrypt
    assert ciphertext(sealed.xml().encode()) == sealed.encrypt


@of_kind("decrypt")
def test_another_accounts_envelope_is_refused(vector: dict[str, Any]) -> None:
    other = Envelope(vector["token"], vector["key"], "wx0000000000000000")
    with pytest.raises(NotAuthentic):
        other.open(vector["encrypt"], vector["msg_signature"], vector["timestamp"], vector["nonce"])


@pytest.mark.parametrize("encrypt", ["", "%%%", "AAAA", "A" * 43 + "=", "A" * 64, "A" * 4096, "密文"])
def test_what_is_signed_but_no_ciphertext_is_refused(encrypt: str) -> None:
    with pytest.raises((Malformed, NotAuthentic)):
        Envelope(TOKEN, AES_KEY, APP_ID).open(encrypt, sign(TOKEN, "1", "2", encrypt), "1", "2")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<xml/>", b"<xml><Encrypt></Encrypt></xml>", b"<xml><Encrypt>a b</Encrypt></xml>",
        b"<xml><Encrypt>AAAA</Encrypt><Encrypt>BBBB</Encrypt></xml>", b"<Encrypt><![CDATA[AA]]", b"\xff\xfe\x00",
    ],
)  # fmt: skip
def test_a_body_without_one_envelope_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        ciphertext(body)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"encrypt": 1}', b"\xff", b"[" * 100_000, b'"encrypt"'])
def test_json_without_an_envelope_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        envelope_fields(body)


@pytest.mark.parametrize(("signature", "token"), [("", "t"), ("签名", "t"), ("0" * 40, ""), (sign("t", "x"), "t")])
def test_a_wrong_signature_of_any_kind_is_refused(signature: str, token: str) -> None:
    with pytest.raises(NotAuthentic):
        check_signature(signature, token, "\ud800", "随机")


def test_an_old_timestamp_is_refused() -> None:
    check_fresh("1000", 1600)
    for timestamp, now in (("1000", 1601), ("1601", 1000)):
        with pytest.raises(NotAuthentic):
            check_fresh(timestamp, now)
    for timestamp in ("", "1e3", "-1", "１０００", "9" * 400):
        with pytest.raises(Malformed):
            check_fresh(timestamp, 1000)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wechatpy.crypto", None)
    with pytest.raises(SettingError, match=r"zhice\[wechat\]"):
        Envelope(TOKEN, AES_KEY, APP_ID)
    monkeypatch.setitem(sys.modules, "xmltodict", None)
    with pytest.raises(SettingError, match=r"zhice\[wechat\]"):
        official_router(OfficialAccount(TOKEN, APP_ID), None)  # type: ignore[arg-type]
