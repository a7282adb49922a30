"""The encodings of an RTF file: its bytes mean what the character set of their font says."""

from __future__ import annotations

# Character sets of fonts ([RTF 1.9.1] "Font Table"); 0 and 1 mean the encoding of the document.
_CHARACTER_SETS = {
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    134: "gb18030",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
}
_CODE_PAGES = {936: "gb18030", 54936: "gb18030", 950: "cp950", 932: "cp932", 949: "cp949", 65001: "utf-8"}
_LANGUAGES = {2052: "gb18030", 4100: "gb18030", 1028: "cp950", 3076: "cp950"}
_WESTERN = "cp1252"


class Fonts:
    """The fonts of a document and the encoding of each."""

    def __init__(self) -> None:
        self._document = _WESTERN
        self._east_asian = "gb18030"
        self._encodings: dict[int, str] = {}
        self._current: int | None = None

    def declare(self, word: str, number: int) -> None:
        """The code page (`ansicpg`) or a default language (`deflang`, `deflangfe`) of the document."""
        if word == "ansicpg":
            self._document = _CODE_PAGES.get(number, f"cp{number}" if 1250 <= number <= 1258 else _WESTERN)
            if number in _CODE_PAGES:
                self._east_asian = _CODE_PAGES[number]
        elif number in _LANGUAGES and self._document == _WESTERN:
            self._east_asian = _LANGUAGES[number]

    def define(self, word: str, number: int | None) -> None:
        """A word of the font table: a font's number, then its character set."""
        if word == "f":
            self._current = number
        elif word == "fcharset" and self._current is not None and number in _CHARACTER_SETS:
            self._encodings[self._current] = _CHARACTER_SETS[number]

    def decode(self, raw: bytes, font: int | None) -> str:
        """Bytes in a font as text; what cannot be decoded is replaced.

        A Western encoding is not believed where the bytes are pairs of an East Asian one throughout: programs name the
        font of the Latin letters for the whole text.
        """
        if raw.isascii():
            return raw.decode("ascii")
        own = self._encodings.get(font, self._document) if font is not None else self._document
        candidates = [own] if own in _CODE_PAGES.values() else [self._east_asian, own]
        for encoding in candidates:
            try:
                text = raw.decode(encoding)
            except (UnicodeDecodeError, LookupError):
                continue
            if encoding == own or _is_east_asian(text):
                return text
        return raw.decode(own, "replace")


def _is_east_asian(text: str) -> bool:
    foreign = [character for character in text if character > "\x7f"]
    return all(
        "\u4e00" <= character <= "\u9fff"
        or "\u3000" <= character <= "\u303f"
        or "\uff00" <= character <= "\uffef"
        or "\u2010" <= character <= "\u2026"
        for character in foreign
    )
