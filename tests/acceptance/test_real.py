"""Real files of all kinds: what they say of themselves is read, and questions about them are answered from the right place.

The questions are ours; where the answer stands is given by the file's digest and offsets into its text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import Answer, Assistant, open_assistant
from assistant.settings import Settings
from ingest import Report, ingest_paths
from tests.acceptance.seeds import SHARED, needs_seeds

REAL = SHARED / "documents" / "real"
QUESTIONS = [
    json.loads(line) for line in (Path(__file__).parent / "real_questions.jsonl").read_text("utf-8").splitlines()
]
LEAST_RIGHT = 0.9

pytestmark = needs_seeds


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    folder = tmp_path_factory.mktemp("real")
    return folder, ingest_paths([REAL], data_dir=folder)


@pytest.fixture(scope="module")
def assistant(taken: tuple[Path, Report]) -> Iterator[Assistant]:
    with open_assistant(settings=Settings(data_dir=taken[0], samples=False)) as opened:
        yield opened


def test_what_cannot_be_read_is_refused_and_all_else_goes_in(taken: tuple[Path, Report]) -> None:
    manifest = _manifest()
    refused = {Path(file).name for file, _ in taken[1].failed}
    assert refused == {name for name, entry in manifest.items() if entry["expect"] == "reject"}
    assert taken[1].added == sum(entry["expect"] != "reject" for entry in manifest.values())


def test_a_second_run_changes_nothing_and_takes_no_time(taken: tuple[Path, Report]) -> None:
    again = ingest_paths([REAL], data_dir=taken[0])
    assert (again.added, again.updated, again.removed) == (0, 0, 0)
    assert again.seconds < 0.05 * taken[1].seconds


def test_what_documents_say_of_themselves(assistant: Assistant) -> None:
    rows = {row["source"]: row for row in assistant.documents()}
    right, stated, wrong = 0, 0, []
    for name, entry in _manifest().items():
        if entry["expect"] == "reject":
            continue
        for field, key in (("title", "title"), ("issuer", "issuer"), ("doc_no", "doc_no"), ("date", "published")):
            if entry[field] is None:
                continue
            stated += 1
            if _plain(entry[field]) == _plain(rows[name][key] or ""):
                right += 1
            else:
                wrong.append(f"{name}: {field} is {rows[name][key]!r}")
    assert right >= LEAST_RIGHT * stated, "\n".join(wrong)


def test_no_field_is_invented(assistant: Assistant) -> None:
    catalog = assistant.store.catalog
    for record in catalog.records():
        document = catalog.document(record.document_id, record.version)
        metadata, stated = document.metadata, _manifest()[record.source]
        for field in ("issuer", "doc_no"):
            value = getattr(metadata, field)
            assert value is None or stated[field] is not None, f"{record.source}: {field} is {value!r}"
        # What is read stands where it is said to stand.
        for field in ("title", "issuer", "doc_no"):
            if field in metadata.spans:
                written = document.text[slice(*metadata.spans[field])]
                assert _plain(getattr(metadata, field)) == _plain(written)


def test_questions_about_real_files(assistant: Assistant) -> None:
    digests = {record.document_id: record.sha256 for record in assistant.store.catalog.records()}
    wrong = []
    for question in QUESTIONS:
        answer = assistant.ask(question["question"], as_of=question.get("as_of"))
        for citation in answer.citations:
            text = assistant.document_text(citation.document_id, citation.version)
            assert text[citation.start : citation.end] == citation.quote
        if not _is_right(answer, question, digests):
            wrong.append(f"{question['question']} -> {answer.status}: {answer.text[:120]}")
    assert len(wrong) <= (1 - LEAST_RIGHT) * len(QUESTIONS), "\n".join(wrong)


def test_the_question_set_has_tables_and_validity() -> None:
    kinds = [question["kind"] for question in QUESTIONS]
    assert len(kinds) >= 60
    assert kinds.count("table") >= 20
    assert kinds.count("validity") >= 10


def _is_right(answer: Answer, question: dict[str, Any], digests: dict[str, str]) -> bool:
    said = answer.text + " ".join(citation.quote for citation in answer.citations)
    codes = {warning.code for warning in answer.warnings}
    return (
        answer.found
        and all(any(fact in said for fact in alternatives) for alternatives in question["facts"])
        and any(
            digests[citation.document_id] == question["file"]
            and citation.start < question["end"]
            and question["start"] < citation.end
            for citation in answer.citations
        )
        and set(question.get("warnings", ())) <= codes
        and codes.isdisjoint(question.get("not", ()))
    )


def _manifest() -> dict[str, dict[str, Any]]:
    lines = (SHARED / "documents" / "manifest.jsonl").read_text("utf-8").splitlines()
    return {entry["file"]: entry for entry in map(json.loads, lines)}


def _plain(text: str) -> str:
    return "".join(character for character in text if character.isalnum())
