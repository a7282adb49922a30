"""What users send through WeChat and WeCom, in one small type; and texts on their way back, as XML and JSON."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from xml.parsers.expat import ExpatError

from assistant.errors import SettingError
from channels.wechat.crypto import Malformed

Kind = Literal["said", "unheard", "unsupported", "greeted", "stream", "other"]

LONGEST_ID: Final = 128
# No message is nearly as long; parsing 1 MiB of nothing but elements would hold up everybody for half a second.
LONGEST_XML: Final = 32_768
# What XML 1.0 cannot hold at all: https://www.w3.org/TR/xml/#charsets.
_ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ID: Final = re.compile(r"[^\s\x00-\x1f]{1,128}")
_MENTION: Final = re.compile(r"^\s*@\S+\s+")
# Events that begin a conversation; what else is reported needs no answer.
_GREETED: Final = ("subscribe", "scan", "enter_chat")


@dataclass(frozen=True, slots=True)
class Message:
    """What a user did.

    `key` tells messages apart and is the same when one is sent again; `sent` is when the user sent it, in seconds since
    the epoch. `kind`: "said" has its words in `text`; "unheard" is speech that was not recognised; "greeted" has come by;
    "stream" asks how far the answer to `key` is; "other" is to be taken note of without an answer.
    """

    kind: Kind
    user: str
    key: str
    account: str = ""
    text: str = ""
    sent: float = 0.0
    respond_at: str = ""


def from_xml(text: str) -> Message:
    """A message of an official account or of a WeCom app.

    Raises:
        Malformed: it is none.
    """
    fields = _fields(text)
    user, account = _id(fields, "FromUserName"), _id(fields, "ToUserName")
    kind, created = _text(fields, "MsgType").lower(), _text(fields, "CreateTime")
    if not re.fullmatch(r"[0-9]{1,12}", created):
        raise Malformed("a message without its time")
    if kind == "event":
        event = _text(fields, "Event").lower()
        key = f"event:{created}:{event[:LONGEST_ID]}"
        if event == "click" and _text(fields, "EventKey").strip():
            return Message("said", user, key, account, _text(fields, "EventKey").strip(), float(created))
        return Message("greeted" if event in _GREETED else "other", user, key, account, sent=float(created))
    key = _id(fields, "MsgId")
    if kind == "text":
        said = _text(fields, "Content").strip()
        return Message("said" if said else "unsupported", user, key, account, said, float(created))
    if kind == "voice":
        said = _text(fields, "Recognition").strip()
        return Message("said" if said else "unheard", user, key, account, said, float(created))
    return Message("unsupported", user, key, account, sent=float(created))


def from_json(text: str) -> Message:
    """A message of a WeCom bot; in a group the bot's own name is taken off.

    Raises:
        Malformed: it is none.
    """
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        raise Malformed("no JSON") from None
    if not isinstance(fields, dict):
        raise Malformed("no JSON object")
    kind, chat = _text(fields, "msgtype"), _text(fields, "chatid")
    user = _id(_part(fields, "from"), "userid")
    # What is said in a group is not carried over into a private talk, nor the other way.
    user = f"{user}@{chat}" if chat and _text(fields, "chattype") == "group" else user
    if kind == "stream":
        return Message("stream", user, _id(_part(fields, "stream"), "id"))
    key, respond_at = _id(fields, "msgid"), _text(fields, "response_url")
    if kind == "event":
        event = _text(_part(fields, "event"), "eventtype")
        return Message("greeted" if event in _GREETED else "other", user, key)
    words = _MENTION.sub("", _words(kind, fields)).strip()
    if words:
        return Message("said", user, key, text=words, respond_at=respond_at)
    return Message("unheard" if kind == "voice" else "unsupported", user, key)


def text_reply(message: Message, text: str) -> str:
    """A text for the sender of an XML message."""
    return (
        f"<xml><ToUserName>{_cdata(message.user)}</ToUserName><FromUserName>{_cdata(message.account)}</FromUserName>"
        f"<CreateTime>{int(time.time())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content>{_cdata(text)}</Content></xml>"
    )


def stream_reply(key: str, text: str, *, finish: bool) -> str:
    """What is shown of a bot's answer so far, or all of it."""
    return _json({"msgtype": "stream", "stream": {"id": key, "finish": finish, "content": text}})


def bot_text(text: str) -> str:
    """A bot's greeting."""
    return _json({"msgtype": "text", "text": {"content": text}})


def envelope_fields(body: bytes) -> str:
    """The ciphertext of a JSON envelope.

    Raises:
        Malformed: there is none.
    """
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("no JSON") from None
    if not isinstance(fields, dict) or not isinstance(fields.get("encrypt"), str):
        raise Malformed("no envelope")
    return str(fields["encrypt"])


def sealed_json(encrypt: str, signature: str, timestamp: str, nonce: str) -> str:
    """An envelope as WeCom's bots take it."""
    stamp: object = int(timestamp) if timestamp.isdecimal() else timestamp
    return _json({"encrypt": encrypt, "msgsignature": signature, "timestamp": stamp, "nonce": nonce})


def require_parser() -> Callable[..., Any]:
    """What parses XML; asked for at the start, so that its absence is known then.

    Raises:
        SettingError: it is not installed.
    """
    try:
        import xmltodict
    except ImportError as error:
        raise SettingError("WeChat needs a package that is not installed: pip install 'zhice[wechat]'.") from error
    return xmltodict.parse  # type: ignore[no-any-return]


def _fields(text: str) -> Mapping[str, Any]:
    parse = require_parser()
    if len(text) > LONGEST_XML:
        raise Malformed("a message over 32 KiB")
    try:
        # Entities are refused by default, so nothing in it can grow.
        parsed = parse(text, strip_whitespace=False)["xml"]
    except (ExpatError, ValueError, KeyError, TypeError, RecursionError):
        raise Malformed("no XML") from None
    if not isinstance(parsed, dict):
        raise Malformed("no XML message")
    return parsed


def _words(kind: str, fields: Mapping[str, Any]) -> str:
    """The words of a bot's message; of pictures and text together, the text."""
    if kind in ("text", "voice"):
        return _text(_part(fields, kind), "content")
    items = _part(fields, "mixed").get("msg_item")
    texts = [item.get("text") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return " ".join(_text(text, "content") for text in texts if isinstance(text, dict))


def _text(fields: Mapping[str, Any], name: str) -> str:
    """A field's text, without the halves of characters that JSON can hold and nothing else."""
    value = fields.get(name)
    return value.encode(errors="ignore").decode() if isinstance(value, str) else ""


def _part(fields: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def _id(fields: Mapping[str, Any], name: str) -> str:
    value = _text(fields, name)
    if not _ID.fullmatch(value):
        raise Malformed(f"a message without its {name}")
    return value


def _cdata(text: str) -> str:
    return "<![CDATA[" + _ILLEGAL.sub("", text).replace("]]>", "]]]]><![CDATA[>") + "]]>"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
