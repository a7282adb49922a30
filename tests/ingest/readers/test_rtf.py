"""RTF: encodings, what is text and what is not, tables."""

from __future__ import annotations

import pytest

from ingest.errors import UnreadableDocument
from ingest.readers import read_document
from vectorstore.passage import Document


def escaped(text: str, encoding: str = "gbk") -> str:
    return "".join(f"\\'{byte:02x}" for byte in text.encode(encoding))


def read(body: str, head: str = r"\ansi\ansicpg936\deff0") -> Document:
    return read_document((r"{\rtf1" + head + "\n" + body + "}").encode("latin-1"), "办法.rtf")


def tables(document: Document) -> list[str]:
    return [document.text[start:end] for start, end in document.tables]


@pytest.mark.parametrize(
    ("body", "head", "text"),
    [
        (escaped("第一条 海州市"), r"\ansi\ansicpg936", "第一条 海州市"),
        (escaped("第一條 海州市", "big5"), r"\ansi\ansicpg950", "第一條 海州市"),
        (
            r"{\fonttbl{\f0\fcharset0 Times;}{\f1\fcharset134 SimSun;}}\f1 " + escaped("第一条"),
            r"\ansi\ansicpg1252",
            "第一条",
        ),
        (r"{\fonttbl{\f0\fcharset0 Times;}}\f0 " + escaped("第一条"), r"\ansi\ansicpg936", "第一条"),
        (escaped("第一条 海州市"), r"\ansi\ansicpg1252\deflangfe2052", "第一条 海州市"),
        (r"caf\'e9 r\'e9sum\'e9", r"\ansi\ansicpg1252", "café résumé"),
        (r"\uc2\u31532\'b5\'da\u19968\'d2\'bb\u26465\'cc\'f5.", r"\ansi\ansicpg936", "第一条."),
        (r"\uc1\u-28674?\u26465 ?x", r"\ansi", "迾条x"),
        (r"\uc0\u55362\u57271 x", r"\ansi", "𠮷x"),
        (r"{\uc1 \u31532 ?}\u19968??", r"\ansi\uc2", "第一"),
        (r"a\~b\_c\emdash d\ldblquote e\rdblquote\tab f", r"\ansi", "a b-c—d“e”\tf"),
        (r"\{a\}\\b", r"\ansi", r"{a}\b"),
        ("\\'b5\n\\'da", r"\ansi\ansicpg936", "第"),
        ("\x81@ok", r"\ansi\ansicpg936", "丂ok"),
    ],
)
def test_encodings(body: str, head: str, text: str) -> None:
    assert read(body, head).text == text + "\n"


@pytest.mark.parametrize(
    "group",
    [
        r"{\info{\title secret}}",
        r"{\*\generator secret;}",
        r"{\pict\wmetafile8 0102secret}",
        r"{\*\shppict{\pict secret}}",
        r"{\header secret\par}",
        r"{\footnote secret}",
        r"{\field{\*\fldinst HYPERLINK secret}{\fldrslt }}",
        r"{\object{\*\objdata secret}}",
        r"{\v secret}",
        r"\v secret\v0 ",
        r"{\deleted secret}",
        r"{\colortbl;\red0 secret;}",
        r"\bin6 secret",
        r"{\nonesttables secret}",
        r"{\*\bkmkstart secret}",
    ],
)
def test_what_is_not_shown_is_not_text(group: str) -> None:
    assert read("before " + group + "after").text == "before after\n"


def test_results_of_fields_and_list_numbers_are_text() -> None:
    body = r"{\listtext\pard\plain 1.\tab}{\field{\*\fldinst HYPERLINK x}{\fldrslt link}}\par next"
    assert read(body).text == "1.\tlink\nnext\n"


def test_headings_are_told_by_style_and_outline_level() -> None:
    styles = r"{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 One;}{\s2 heading 2;}}"
    document = read(styles + r"\pard\s1 first\par\pard\s2 second\par\pard plain\par\pard\outlinelevel2 third\par")
    assert [(document.text[h.start : h.end], h.level) for h in document.headings] == [
        ("first", 1),
        ("second", 2),
        ("third", 3),
    ]


def test_a_table_is_read_by_rows_with_merges_resolved() -> None:
    def row(cells: list[str], layout: str) -> str:
        return r"\trowd\trleft0" + layout + r"\pard\intbl " + r"\cell ".join(cells) + r"\cell\row" + "\n"

    document = read(
        r"before\par "
        + row(["place", "sum", "note"], r"\cellx1000\cellx2000\cellx3000")
        + row(["east", "880", "x"], r"\clvmgf\cellx1000\cellx2000\cellx3000")
        + row(["", "770", "{\\pard\\intbl y\\par z}"], r"\clvmrg\cellx1000\cellx2010\cellx3000")
        + row(["all together", "w"], r"\cellx2000\cellx3000")
        + r"\pard after\par"
    )
    assert tables(document) == ["place | sum | note\neast | 880 | x\neast | 770 | y z\nall together |  | w"]
    assert document.text.startswith("before\n")
    assert document.text.endswith("\nafter\n")


def test_a_nested_table_keeps_its_rows() -> None:
    document = read(
        r"\trowd\cellx9000\pard\intbl outer\par\pard\intbl\itap2 a\nestcell b\nestcell{\*\nesttableprops\trowd\cellx100\cellx200\nestrow}"
        r"{\nonesttables\par}c\nestcell d\nestcell{\*\nesttableprops\trowd\cellx100\cellx200\nestrow}\pard\intbl end\cell\row"
    )
    assert tables(document) == ["a | b\nc | d"]
    assert document.text == "outer\na | b\nc | d\nend\n"


@pytest.mark.parametrize("body", ["{" * 1_200, r"{\b" * 1_200 + "}" * 1_200])
def test_groups_nested_without_measure_are_refused(body: str) -> None:
    with pytest.raises(UnreadableDocument, match="nested"):
        read(body)


@pytest.mark.parametrize(
    "body", ["text}}}} more", "text\\", r"text\bin99999999 gone", r"text\u", r"text\'4", r"\cell text\row\nestrow"]
)
def test_broken_markup_loses_no_text(body: str) -> None:
    assert "text" in read(body).text
