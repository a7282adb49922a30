"""What Zhice says in WeChat besides its answers, and the words that a user steers it with."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from channels.texts import EXAMPLES, Language

# A greeting offers this many questions.
OFFERED: Final = 3

Command = Literal["more", "afresh"]

_COMMANDS: Final[Mapping[str, Command]] = {
    "继续": "more",
    "1": "more",
    "continue": "more",
    "more": "more",
    "新话题": "afresh",
    "new topic": "afresh",
}
_AROUND: Final = " 　\t\n「」『』“”\"'‘’《》。.！!，,"
_PHRASES: Final[Mapping[str, tuple[str, str]]] = {
    "pending": ("正在查询，请回复『继续』获取结果", "Still looking it up. Reply “continue” to get the answer."),
    "coming": ("正在查询，查到后会立即发给您。", "Still looking it up; the answer will be sent when it is ready."),
    "working": ("正在查找并核对原文…", "Looking up and checking the sources…"),
    "late": ("查询时间较长，结果随后发送；也可以回复『继续』获取。", "This takes longer; the answer follows. “continue” gets it, too."),
    "nothing": ("没有待取的内容，请直接提问。", "There is nothing left to fetch. Just ask."),
    "afresh": ("好的，已开始新话题，请提问。", "Done, this is a new topic. Go ahead and ask."),
    "lost": ("服务刚才中断，您的问题没有答完，请重新提问。", "The service was interrupted before your answer was done. Please ask again."),
    "too_fast": ("提问太快了，请在{seconds}秒后再问。", "That was a lot of questions; ask again in {seconds} seconds."),
    "too_long": ("问题太长了，请缩短到{limit}字以内再问。", "The question is too long; keep it within {limit} characters."),
    "busy": ("现在提问的人太多，请稍后再问。", "Too many people are asking right now; try again in a moment."),
    "failed": ("这次没有答成，请重新提问；若仍不行，请告知管理员。", "This one failed. Ask again; if it fails again, tell the administrator."),
    "unheard": ("没有听清这段语音，请用文字提问。", "That could not be understood; please type your question."),
    "unsupported": ("目前只能回答文字和语音提问，请把问题打成文字。", "Only text and voice can be answered; please type your question."),
    "greeting": (
        "您好，这里是知策，只依据已收录的政策文件作答，每句话都附原文出处。可以这样问：\n{examples}\n回复『新话题』可以重新开始。",
        "This is Zhice. It answers from the policy documents on file, each sentence with its source. For example:\n{examples}\n"
        "Reply “new topic” to start afresh.",
    ),
}  # fmt: skip


def say(language: Language, phrase: str, **values: object) -> str:
    """A phrase in a language, with its placeholders filled in."""
    text = _PHRASES[phrase][0 if language == "zh" else 1]
    return text.format(**values) if values else text


def greeting(examples: Sequence[str] = ()) -> str:
    """Who this is, and three questions to begin with; without `examples`, those of the sample policies."""
    offered = examples or [example for example in EXAMPLES if not example.isascii()]
    return say("zh", "greeting", examples="\n".join(f"· {example}" for example in offered[:OFFERED]))


def command(text: str) -> Command | None:
    """What a text asks for that is no question."""
    return _COMMANDS.get(unicodedata.normalize("NFKC", text).strip(_AROUND).lower())


def language_of(text: str) -> Language:
    """English for a text with Latin letters and no Chinese character."""
    return "en" if re.search("[A-Za-z]", text) and not re.search(r"[㐀-鿿]", text) else "zh"
