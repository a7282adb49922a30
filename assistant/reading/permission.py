"""Whether something asked about is allowed: told from the words that answer, and only where those leave no doubt."""

from __future__ import annotations

import re
from typing import Final, Literal

Permission = Literal["allowed", "conditional", "forbidden", ""]

_ASKED: Final = re.compile(
    r"能不能|可不可以|可否|能否|行不行|[能可][^，。？?]{0,30}[吗嘛么不]|(?:行|成|可以|允许|准许?)[吗不嘛][？?]?$|允许吗"
    r"|(?:^|[.,!;] )(?:can|may|could|am i allowed|are [^?]{1,30} allowed)\b",
    re.IGNORECASE,
)
# A question that is turned round, or asks for more than a side: 能不交吗, 非去不可吗, 能拿到什么, may they bar us.
_TURNED: Final = re.compile(
    r"怎么|什么|哪|多少|几|谁|不|没|未|非|别|拒绝|必须|还要|才能|一定|\b(?:not|without|refuse|bar|ban|stop|prevent|deny|must|need)\b|n't\b|taken away",
    re.IGNORECASE,
)
_ALTERNATIVE: Final = re.compile(r"能不能|可不可以|行不行|不[？?]?$")
_FORBIDDING: Final = re.compile(r"不得|不能|不可以?|禁止|严禁|不予|不允许|不准|不应")
_ALLOWING: Final = re.compile(r"可以|允许|准许|可(?=[凭向申在由依按自持直先])")
_CONDITION: Final = re.compile(r"符合|满足|具备|有条件的|经[^，。]{0,14}(?:批准|同意|许可|审核|审批)|但|除外")


def permission(question: str, answer: str, quote: str) -> Permission:
    """What the words that answer a question say of it; nothing where it does not ask, or they do not tell."""
    if not _ASKED.search(question) or _TURNED.search(_ALTERNATIVE.sub("", question)):
        return ""
    forbids = _FORBIDDING.search(answer) is not None
    allows = _ALLOWING.search(_FORBIDDING.sub("", answer)) is not None
    if forbids == allows:
        return ""
    if forbids:
        return "forbidden"
    return "conditional" if _CONDITION.search(quote) else "allowed"
