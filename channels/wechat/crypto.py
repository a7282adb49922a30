"""Signatures and envelopes of WeChat and WeCom: what does not open is refused, and nothing is parsed before that.

Protocol: "消息加解密" in the platforms' documentation. The ciphers are wechatpy's.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from assistant.errors import SettingError

_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
# An envelope's one ciphertext, found without a parser: nobody has vouched for the body yet.
_ENCRYPT: Final = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[([A-Za-z0-9+/=]+)\]\]>|([A-Za-z0-9+/=]+))\s*</Encrypt>")
# Older than this and a message that was answered may be forgotten, and answered again; so it is not taken.
FRESH_SECONDS: Final = 600


class Refused(Exception):
    """A request that is not taken; `status` is HTTP's, `kind` all that is logged of it."""

    status = 400

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class NotAuthentic(Refused):
    """Whoever sent it does not know the account's secrets."""

    status = 403


class Malformed(Refused):
    """It is not what the platform sends."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An envelope that is on its way out."""

    encrypt: str
    signature: str
    timestamp: str
    nonce: str

    def xml(self) -> str:
        """As 公众号 and WeCom's apps take it."""
        return (
            f"<xml><Encrypt><![CDATA[{self.encrypt}]]></Encrypt><MsgSignature><![CDATA[{self.signature}]]></MsgSignature>"
            f"<TimeStamp>{self.timestamp}</TimeStamp><Nonce><![CDATA[{self.nonce}]]></Nonce></xml>"
        )


class Envelope:
    """Opens and seals what travels between the platform and one account.

    Args:
        token: what signatures are made with.
        aes_key: the EncodingAESKey, 43 characters.
        receive_id: the app id, the corporation's id, or nothing for WeCom's bots.

    Raises:
        SettingError: the library for it is not installed.
    """

    def __init__(self, token: str, aes_key: str, receive_id: str) -> None:
        self._token = token
        self._receive_id = receive_id
        self._cipher = _cipher(aes_key)

    def open(self, encrypt: str, signature: str, timestamp: str, nonce: str) -> str:
        """What is in an envelope.

        Raises:
            NotAuthentic: the signature is wrong, or the envelope is another account's.
            Malformed: it cannot be opened.
        """
        check_signature(signature, self._token, timestamp, nonce, encrypt)
        if not _BASE64.fullmatch(encrypt):
            raise Malformed("not base64")
        try:
            return str(self._cipher(None).decrypt(encrypt, self._receive_id))
        except Exception as error:
            # wechatpy raises its own for another account's id, and whatever happens to the bytes for all the rest.
            if "InvalidAppId" in type(error).__name__:
                raise NotAuthentic("another account's envelope") from None
            raise Malformed("an envelope that cannot be opened") from None

    def seal(self, text: str, nonce: str, *, timestamp: str | None = None, random: str | None = None) -> Sealed:
        """A text in an envelope; `random` is its 16 random characters, which only a test gives."""
        timestamp = timestamp or str(int(time.time()))
        encrypt = self._cipher(random or secrets.token_hex(8)).encrypt(text, self._receive_id).decode()
        return Sealed(encrypt, sign(self._token, timestamp, nonce, encrypt), timestamp, nonce)


def ciphertext(body: bytes) -> str:
    """The ciphertext of an XML envelope.

    Raises:
        Malformed: there is none, or more than one.
    """
    found = _ENCRYPT.findall(body)
    if len(found) != 1:
        raise Malformed("no envelope")
    return bytes(found[0][0] or found[0][1]).decode()


def sign(*values: str) -> str:
    """The signature of some values: SHA-1 over them, sorted and joined."""
    return hashlib.sha1(b"".join(sorted(value.encode(errors="replace") for value in values))).hexdigest()  # noqa: S324


def check_signature(signature: str, *values: str) -> None:
    """Raises: NotAuthentic unless it is theirs, in a time that says nothing of how wrong it is."""
    if not hmac.compare_digest(sign(*values).encode(), signature.encode(errors="replace")):
        raise NotAuthentic("wrong signature")


def check_fresh(timestamp: str, now: float) -> None:
    """Raises: NotAuthentic if it was signed so long ago that it may be a repetition nobody remembers."""
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        raise Malformed("no timestamp")
    if abs(now - int(timestamp)) > FRESH_SECONDS:
        raise NotAuthentic("a timestamp 10 minutes off (is this machine's clock right?)")


def _cipher(aes_key: str) -> Callable[[str | None], Any]:
    """Makes ciphers; each is used once, with the random characters it is given."""
    try:
        # Even importing it fails, with a plain Exception, where it has no library to encrypt with.
        from wechatpy.crypto import PrpCrypto, WeChatCrypto
    except Exception as error:
        raise SettingError(
            "The encrypted mode of WeChat needs a package that is not installed: pip install 'zhice[wechat]'."
        ) from error
    key = WeChatCrypto("token", aes_key, "").key

    def made(random: str | None) -> Any:
        cipher = PrpCrypto(key)
        if random is not None:
            cipher.get_random_string = lambda: random
        return cipher

    return made
