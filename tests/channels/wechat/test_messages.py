"""Messages in, texts out."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from channels.wechat.crypto import Malformed
from channels.wechat.messages import Message, from_json, from_xml, stream_reply, text_reply
from channels.wechat.phrases import command, language_of
from tests.channels.wechat.simulator import text_message

MESSAGE = Message("said", "user", "1", "gh_1")

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {one} "{f"&{other};" * 10}">' for one, other in zip("bcdefghi", "abcdefgh", strict=True))
    + "]><xml><FromUserName>&i;</FromUserName></xml>"
)
OUTSIDE = '<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]><xml><FromUserName>&x;</FromUserName></xml>'


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "<xml>", "<xml/>", "<xml><a/></xml>", "<a/>", BOMB, OUTSIDE, "<xml>" * 5000, text_message("user", "x" * 32_768), "\x00", "<xml>\x01</xml>",
        text_message("", "x"), text_message("a b", "x"), text_message("u" * 129, "x"),
        text_message("user", "x").replace("<MsgId>", "<Other>").replace("</MsgId>", "</Other>"),
        text_message("user", "x").replace("<FromUserName>", "<FromUserName><b/>"),
    ],
)  # fmt: skip
def test_what_is_no_message_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        from_xml(text)


@given(st.text())
def test_no_text_of_any_kind_fails_otherwise(text: str) -> None:
    for read in (from_xml, from_json):
        with pytest.raises(Malformed):
            read(text)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_no_json_of_any_kind_fails_otherwise(value: Any) -> None:
    fields = {"msgid": "1", "from": {"userid": "li"}, "msgtype": "mixed", "mixed": value, "text": value}
    assert from_json(json.dumps(fields)).kind in ("said", "unsupported")
    with pytest.raises(Malformed):
        from_json(json.dumps({**fields, "from": value if not isinstance(value, dict) else None}))


@given(st.text())
@example("]]>")
@example("]]]]>]]><![CDATA[")
def test_any_text_comes_out_of_the_xml_as_it_went_in(text: str) -> None:
    content = ElementTree.fromstring(text_reply(MESSAGE, text).encode(errors="ignore")).findtext("Content") or ""
    lawful = [
        c for c in text if c in "\t\n\r" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")
    ]
    assert content == "".join(lawful).replace("\r\n", "\n").replace("\r", "\n")


def test_a_doctype_that_a_user_writes_is_text() -> None:
    assert from_xml(text_message("user", "<!DOCTYPE x>是什么？")).text == "<!DOCTYPE x>是什么？"


def bot_message(**fields: Any) -> str:
    return json.dumps({"msgid": "1", "chattype": "single", "from": {"userid": "li"}, **fields})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (bot_message(msgtype="text", text={"content": "怎么申请？"}), Message("said", "li", "1", text="怎么申请？")),
        (bot_message(msgtype="voice", voice={"content": "怎么申请？"}), Message("said", "li", "1", text="怎么申请？")),
        (bot_message(msgtype="voice", voice={}), Message("unheard", "li", "1")),
        (bot_message(msgtype="image", image={"url": "x"}), Message("unsupported", "li", "1")),
        (bot_message(msgtype="text", text={"content": "@知策 怎么申请？"}, chattype="group", chatid="g"),
         Message("said", "li@g", "1", text="怎么申请？")),
        (bot_message(msgtype="mixed", mixed={"msg_item": [{"msgtype": "image"}, {"msgtype": "text", "text": {"content": "甲"}}, 7]}),
         Message("said", "li", "1", text="甲")),
        (bot_message(msgtype="event", event={"eventtype": "enter_chat"}), Message("greeted", "li", "1")),
        (bot_message(msgtype="event", event={"eventtype": "x"}), Message("other", "li", "1")),
        (bot_message(msgtype="stream", stream={"id": "s"}), Message("stream", "li", "s")),
        (bot_message(msgtype="text", text={"content": "甲\ud800"}), Message("said", "li", "1", text="甲")),
    ],
)  # fmt: skip
def test_a_bots_messages(text: str, expected: Message) -> None:
    assert from_json(text) == expected


def test_a_streamed_reply_is_not_escaped() -> None:
    assert stream_reply("s", "甲", finish=False) == (
        '{"msgtype": "stream", "stream": {"id": "s", "finish": false, "content": "甲"}}'
    )


@pytest.mark.parametrize("text", ["继续", "「继续」", "『继续』", "继续。", " 1 ", "１", "Continue", "more"])
def test_asking_for_the_rest(text: str) -> None:
    assert command(text) == "more"


@pytest.mark.parametrize("text", ["11", "继续教育有什么补贴？", "1.", "更多"])
def test_asking_something_else(text: str) -> None:
    assert command(text) in (None, "more" if text == "1." else None)


def test_languages() -> None:
    assert [language_of(text) for text in ("What?", "什么", "AI企业", "2026")] == ["en", "zh", "zh", "zh"]
