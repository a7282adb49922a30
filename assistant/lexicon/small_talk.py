"""What people say to an assistant that no document answers: greetings, thanks, what it is, what it has, that it was wrong."""

from __future__ import annotations

import re
from typing import Final, Literal

SmallTalk = Literal["greeting", "thanks", "identity", "documents", "topic", "complaint", "other", ""]

_TALK: Final[tuple[tuple[SmallTalk, str], ...]] = (
    ("greeting", r"^(?:你们?好|您好|大家好|在吗|在不在|早上?好|[下晚]午?好|再见|拜拜|好的|嗯+|hello|hi|hey|good (?:morning|evening)|bye)(?:呀|啊|哦|[,， ]*知策)?\W*$"),
    ("thanks", r"^(?:好的?[,，])?(?:多谢|谢谢|感谢|谢了|辛苦了|thanks?|thank you|thx)(?:你们?|您|啦|了|哦| a lot| so much| very much)*\W*$"),
    ("identity", r"^你们?(?:是谁|叫什么|是什么|能做什么|会做?什么|能干什么|能干嘛|有什么用|能帮我什么|可以做什么)|^怎么用(?:你|这个)?\W*$|^帮助\W*$|^help\W*$|^(?:who|what) are you\b|^what (?:can|do) you do\b"),
    ("documents", r"^(?:请问|你们?|知策|这里|这儿|系统|库里|里面|现在|目前|一共|都|总共)*(?:收录|有|存)了?(?:些|哪些|什么|多少份?)(?:政策)?(?:文件|资料|文档)(?:可以查|可以问|能查|能问)?[?？]?$|\b(?:what|which|how many) documents (?:do you have|are (?:there|on file))"),
    ("topic", r"^(?:请问)?(?:你们?)?(?:这里)?(?:有没有|有无|是否有)(?:关于|涉及|针对)?(?P<topic>[^，。？?]{2,30}?)(?:方面)?的?(?:政策|文件|办法|规定|资料)(?:吗|呢|没有)?[?？]?$"
              r"|^(?:请问)?有(?:关于|涉及|针对)(?P<about>[^，。？?]{2,30}?)(?:方面)?的?(?:政策|文件|办法|规定|资料)(?:吗|没有)?[?？]?$"
              r"|^(?:is|are) there (?:any |a |some )?(?:polic(?:y|ies)|documents?|rules?|regulations?) (?:about|on|for) (?P<on>[^?]{2,60})\??$"),
    ("complaint", r"^(?:这)?(?:不对|错了|不是这个|答非所问|胡说|瞎说|你?答错了|你说错了|不准确|没用)[啊吧呀了的!！。，]*$|^(?:that is|that's|this is|you are|you're) (?:wrong|not right|incorrect|mistaken)\W*$|^wrong\W*$"),
    ("other", r"天气(?:怎么样|怎样|如何|好不好|预报)|讲个?笑话|几点了|心情|\bweather (?:today|like|forecast)|how is the weather|\btell me a joke\b"),
)  # fmt: skip


def small_talk(question: str) -> tuple[SmallTalk, str]:
    """What kind of talk a question is, "" for one that documents may answer, and the topic that it asks for documents on."""
    for kind, pattern in _TALK:
        found = re.search(pattern, question.strip(), re.IGNORECASE)
        if found:
            return kind, next((words for words in found.groupdict().values() if words), "")
    return "", ""
