"""Bytes to text: the bytes themselves decide the encoding, a declaration only where they leave it open."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

from ingest.errors import UnreadableDocument

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Scoring looks at no more than this many bytes; a decision on 200 kB does not change with more of them.
_SAMPLE_BYTES = 200_000
# Right decodings of Chinese prose score above .9 (share of everyday characters), wrong ones below .65.
_PLAUSIBLE = 0.75
# A page may have lost single bytes (a proxy, a bad cut); one broken character in 50 is still that page.
_BROKEN_SHARE = 0.02
# Fewer zeros at the end may belong to the last character.
_PADDING = 4
# Binary data decodes into control characters; text has next to none besides tab and line ends.
_CONTROL_SHARE = 0.02
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CHARSET = re.compile(rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.I)
_FREQUENT = frozenset(
    "的一是不在人有我这中大来上国和地到以时要就出会可也对能而子得于着下自之年过发后作里用道行所然"
    "這國來個們為會對過發後開關應與從無種將兩時學體經業區請號條"
)

_BINARY_REASON = (
    "It is not text in any encoding that was recognised (UTF-8, GB18030, Big5 and UTF-16 were tried); "
    "save it as UTF-8 text, or as PDF or .docx, and add it again."
)


def declared_encodings(data: bytes) -> tuple[str, ...]:
    """The encodings that the head of a page names, in order; evidence from the bytes goes before them."""
    return tuple(match.decode("ascii", "replace") for match in _CHARSET.findall(data[:4096]))


def decode(data: bytes, declared: Iterable[str] = ()) -> str:
    """Decode a text file without its byte order mark.

    Tried in this order: the mark, strict UTF-8, then whichever of GB18030, Big5, UTF-16 and UTF-8 with a few broken
    characters reads most like everyday Chinese, then the `declared` names, then charset-normalizer.

    Raises `UnreadableDocument` for binary data and for encodings nobody can tell.
    """
    data = _unpadded(data)
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _checked(data[len(mark) :].decode(name, errors="replace"))
    wide = _wide(data)
    if wide is not None:
        return _checked(wide)
    try:
        return _checked(data.decode("utf-8"))
    except UnicodeDecodeError:
        pass
    best = max(("gb18030", "big5", "utf-8", "utf-16-le", "utf-16-be"), key=lambda name: _score(data, name))
    if _score(data, best) >= _PLAUSIBLE:
        return _checked(data.decode(best, errors="replace"))
    return _checked(_last_resort(data, declared))


def _unpadded(data: bytes) -> bytes:
    """Without the zeros up to a disk block that some programs leave at the end; half a UTF-16 character is none."""
    stripped = data.rstrip(b"\x00")
    return data if len(data) - len(stripped) < _PADDING else data[: len(stripped) + len(stripped) % 2]


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark, told by the zero bytes of its Latin letters and line ends on one side only."""
    if len(data) % 2 or b"\x00" not in data:
        return None
    even, odd = data[0::2].count(0), data[1::2].count(0)
    if min(even, odd) * 20 > max(even, odd):  # a character such as U+4E00 has a zero on the other side
        return None
    try:
        text = data.decode("utf-16-le" if odd > even else "utf-16-be")
    except UnicodeDecodeError:
        return None
    odd_characters = sum(1 for character in text if not _ordinary(character))
    return text if odd_characters <= len(text) * _BROKEN_SHARE else None


def _ordinary(character: str) -> bool:
    return (
        character in "\t\n\r"
        or " " <= character <= "\u04ff"
        or "\u2000" <= character <= "\u9fff"
        or ("\uf900" <= character <= "\uffef")
    )


def _score(data: bytes, name: str) -> float:
    """How much a decoding reads like Chinese: share of level-1 characters and CJK punctuation among the non-ASCII.

    Between 0 and 1 plus a bonus of at most .25 for the most frequent characters; -1 where it does not decode.
    """
    sample = data[:_SAMPLE_BYTES]
    strict = name.startswith("utf-16") or name == "big5"
    try:
        text = codecs.getincrementaldecoder(name)("strict" if strict else "replace").decode(
            sample, len(sample) == len(data)
        )
    except UnicodeDecodeError:
        return -1.0
    foreign = [character for character in text if character > "\x7f"]
    if not foreign:
        return -1.0
    broken = sum(1 for character in foreign if character == "\ufffd")
    if broken > len(foreign) * _BROKEN_SHARE:
        return -1.0
    if len(_CONTROLS.findall(text)) > len(text) * _CONTROL_SHARE:
        return -1.0
    everyday = sum(1 for character in foreign if _everyday(character))
    frequent = sum(1 for character in foreign if character in _FREQUENT)
    return everyday / len(foreign) + min(frequent / len(foreign), 0.25) - 5 * broken / len(foreign)


def _everyday(character: str) -> bool:
    """CJK punctuation, or a character of the first level of GB 2312 or of Big5 (its everyday half)."""
    if "\u2010" <= character <= "\u2026" or "\u3000" <= character <= "\u3017" or "\uff01" <= character <= "\uff5e":
        return True
    if not "\u4e00" <= character <= "\u9fff":
        return character in "·—×℃①②③④⑤⑥⑦⑧⑨⑩"
    for name, first, last in (("gb2312", 0xB0, 0xD7), ("big5", 0xA4, 0xC6)):
        try:
            if first <= character.encode(name)[0] <= last:
                return True
        except UnicodeEncodeError:
            continue
    return False


def _last_resort(data: bytes, declared: Iterable[str]) -> str:
    for name in declared:
        try:
            text = data.decode(name)
        except (LookupError, UnicodeError, ValueError):
            continue
        if len(_CONTROLS.findall(text)) <= len(text) * _CONTROL_SHARE:
            return text
    if len(_CONTROLS.findall(data[:_SAMPLE_BYTES].decode("latin-1"))) > min(len(data), _SAMPLE_BYTES) * _CONTROL_SHARE:
        raise UnreadableDocument(_BINARY_REASON)
    import charset_normalizer  # 50 ms, and seldom needed

    match = charset_normalizer.from_bytes(data[:_SAMPLE_BYTES]).best()
    if match is None:
        raise UnreadableDocument(_BINARY_REASON)
    return data.decode(match.encoding, errors="replace")


def _checked(text: str) -> str:
    if len(_CONTROLS.findall(text)) > max(1, len(text) * _CONTROL_SHARE):
        raise UnreadableDocument(_BINARY_REASON)
    return text
