"""Extraction from the real files that lie beside the checkout, held against their manifest; run by `make accept`."""

from __future__ import annotations

import json
import re
import unicodedata
from functools import cache
from typing import Any

import pytest

from ingest.cleaning import mark_boilerplate
from ingest.errors import UnreadableDocument
from ingest.readers import read_document
from ingest.tables import Tables
from tests.acceptance.seeds import SHARED, needs_seeds
from vectorstore.passage import Document
from vectorstore.tables import row_spans

pytestmark = needs_seeds

MANIFEST = SHARED / "documents" / "manifest.jsonl"
ENTRIES: list[dict[str, Any]] = (
    [json.loads(line) for line in MANIFEST.read_text("utf-8").splitlines()] if MANIFEST.exists() else []
)
READ = [entry for entry in ENTRIES if entry["expect"] == "ok"]
PICTURES = [entry for entry in ENTRIES if entry["expect"] == "ocr"]
REFUSED = [entry for entry in ENTRIES if entry["expect"] == "reject"]
SHARE = 0.95
# Where a file has no tables of its own (a page of a PDF), what belongs together stands this close.
NEIGHBOURHOOD = 600
# What the manifest's reason names, and what the refusal must say.
REASONS = {"网页": "web page", "密码": "password", "RAR": "RAR", "空文件": "empty"}


def named(entries: list[dict[str, Any]]) -> list[Any]:
    return [pytest.param(entry, id=entry["file"]) for entry in entries]


@cache
def document(name: str) -> Document:
    return mark_boilerplate(read_document((SHARED / "documents" / "real" / name).read_bytes(), name))


def solid(text: str) -> str:
    return "".join(text.split())


def searched(read: Document) -> str:
    """The text without what is marked as boilerplate."""
    pieces, position = [], 0
    for start, end in read.boilerplate:
        pieces.append(read.text[position:start])
        position = end
    return "\n".join([*pieces, read.text[position:]])


def found(entry: dict[str, Any]) -> tuple[list[str], list[str]]:
    """The snippets of one entry that were extracted, and those that were not."""
    try:
        text = searched(document(entry["file"]))
    except UnreadableDocument:
        return [], list(entry["must_contain"])
    contains = (
        (lambda snippet: nearly(snippet, text))
        if entry in PICTURES
        else (lambda snippet: solid(snippet) in solid(text))
    )
    hits = [snippet for snippet in entry["must_contain"] if contains(snippet)]
    return hits, [snippet for snippet in entry["must_contain"] if snippet not in hits]


def bare(text: str) -> str:
    """Letters, digits and characters only, in their usual width."""
    return "".join(character for character in unicodedata.normalize("NFKC", text) if character.isalnum())


def nearly(snippet: str, text: str) -> bool:
    """Whether the text holds the snippet with at most one wrong character in ten (an approximate search after Sellers)."""
    pattern = bare(snippet)
    allowed = -(-len(pattern) // 10)
    distances = list(range(len(pattern) + 1))
    for character in bare(text):
        before, distances[0] = distances[0], 0
        for index, expected in enumerate(pattern, start=1):
            kept = distances[index]
            distances[index] = min(before + (character != expected), kept + 1, distances[index - 1] + 1)
            before = kept
        if distances[-1] <= allowed:
            return True
    return False


def stand_together(group: list[str], entry: dict[str, Any]) -> bool:
    """Whether a row of a table, with the header, caption and group heading it is read with, holds all of them.

    A file without tables is searched for a stretch of some lines that holds them all.
    """
    read = document(entry["file"])
    tables = Tables(read)
    for table in read.tables:
        for row in row_spans(read.text, table):
            parts = [row, *tables.context(row[0])]
            text = "\n".join(read.text[slice(*part)] for part in parts)
            if all(solid(words) in solid(text) for words in group):
                return True
    if read.tables:
        return False
    text = searched(read)
    holds = nearly if entry in PICTURES else lambda words, stretch: solid(words) in solid(stretch)
    starts = range(0, len(text), NEIGHBOURHOOD // 2)
    return any(all(holds(words, text[start : start + NEIGHBOURHOOD]) for words in group) for start in starts)


@pytest.mark.parametrize("entry", named(READ))
def test_a_file_is_read(entry: dict[str, Any]) -> None:
    hits, misses = found(entry)
    assert not misses, f"{len(hits)} of {len(entry['must_contain'])} snippets found, missing: {misses}"


@pytest.mark.parametrize("entry", named(PICTURES))
def test_a_scan_is_searchable(entry: dict[str, Any]) -> None:
    hits, misses = found(entry)
    assert len(hits) >= len(misses), f"missing: {misses}"


def test_nearly_all_snippets_are_extracted() -> None:
    hits, misses = 0, []
    for entry in READ + PICTURES:
        good, bad = found(entry)
        hits += len(good)
        misses += [f"{entry['file']}: {snippet}" for snippet in bad]
    share = hits / (hits + len(misses))
    print(f"\n{hits} of {hits + len(misses)} snippets ({share:.1%})", *misses, sep="\n")
    assert share >= SHARE, "\n".join(misses)


@pytest.mark.parametrize("entry", named(READ + PICTURES))
def test_nothing_of_the_page_around_is_searched(entry: dict[str, Any]) -> None:
    text = solid(searched(document(entry["file"])))
    assert [words for words in entry["must_not_contain"] if solid(words) in text] == []


@pytest.mark.parametrize("entry", named([entry for entry in READ + PICTURES if entry.get("must_cooccur")]))
def test_cells_stand_with_what_they_belong_to(entry: dict[str, Any]) -> None:
    assert [group for group in entry["must_cooccur"] if not stand_together(group, entry)] == []


@pytest.mark.parametrize("entry", named(REFUSED))
def test_what_is_no_document_is_refused_with_the_reason(entry: dict[str, Any]) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        document(entry["file"])
    said = [words for named, words in REASONS.items() if named in entry["reason"]]
    assert said
    assert re.search("|".join(said), str(caught.value))
