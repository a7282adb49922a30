"""Proof that a restored data folder answers as it did: kept answers are asked for again, passages look for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from assistant.assembly import Assistant
from assistant.errors import AssistantError
from assistant.stages import Request
from vectorstore.catalog import Record
from vectorstore.fulltext import word_for_word
from vectorstore.store import PolicyStore

ASKED: Final = 100  # kept answers that are asked for again, the latest first: 2 s
SAMPLE: Final = 200  # passages that look for themselves: 1 s

_FOUND: Final = 10  # a passage is among so many nearest to its own words; twins of it may stand before it


@dataclass(frozen=True, slots=True)
class Proof:
    """How many of those that were asked came out as they should, and what did not.

    `since` counts answers that differ and were given before documents came in or were corrected, which may be why.
    """

    asked: int
    same: int
    since: int
    passages: int
    found: int
    failed: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether nothing failed."""
        return not self.failed


def prove(assistant: Assistant) -> Proof:
    """Ask a store's own questions again, and look for a sample of its passages by their own words."""
    asked, same, since, failed = 0, 0, 0, []
    store = assistant.store
    changed = _last_change(store)
    records = {record.document_id: record for record in store.catalog.records()}
    for when, answer in store.catalog.kept_answers(ASKED):
        if not _stands(answer, records):
            continue
        asked += 1
        if _quotes(answer) == _quotes(_again(assistant, answer)):
            same += 1
        elif when <= changed:
            since += 1
        else:
            failed.append(str(answer["question"]))
    passages, lost = _look_for_passages(store)
    return Proof(asked, same, since, passages, passages - len(lost), (*failed, *lost))


def _stands(answer: dict[str, Any], records: dict[str, Record]) -> bool:
    """Whether an answer was read from documents that are searched in the same version now, without a language model."""
    return (
        answer.get("generator") == "extractive"
        and bool(answer.get("citations"))
        and all(
            cited["document_id"] in records and records[cited["document_id"]].version == cited["version"]
            for cited in answer["citations"]
        )
    )


def _again(assistant: Assistant, answer: dict[str, Any]) -> dict[str, Any]:
    try:
        day = date.fromisoformat(answer["as_of"])
        request = Request(question=answer["standalone_question"], history=[], as_of=day, filters={})
        return assistant.chain.invoke(request).to_dict()  # which keeps no answer, as `ask` does
    except AssistantError:
        return {"citations": []}


def _quotes(answer: dict[str, Any]) -> set[tuple[str, int, str]]:
    return {(cited["document_id"], cited["start"], cited["quote"]) for cited in answer["citations"]}


def _last_change(store: PolicyStore) -> str:
    row = store.catalog.connection().execute(
        "SELECT max(at) FROM (SELECT max(ingested) AS at FROM versions UNION ALL SELECT max(made) FROM corrections)"
    )
    return str(row.fetchone()[0] or "")


def _look_for_passages(store: PolicyStore) -> tuple[int, list[str]]:
    """How many passages were looked for, and which were not found, spread evenly over the store."""
    with store.catalog.snapshot() as connection:
        ids = [row[0] for row in connection.execute("SELECT passage_id FROM passages ORDER BY passage_id")]
        step = max(1, len(ids) // SAMPLE)
        rows = [
            connection.execute("SELECT * FROM passages WHERE passage_id = ?", (number,)).fetchone()
            for number in ids[::step][:SAMPLE]
        ]
    lost = []
    for row in rows:
        words = store.text(row["document_id"], row["version"])[row["start"] : row["end"]]
        matches = store.search(words, store.scorer(word_for_word(words)), limit=_FOUND)
        texts = {hit.text for hit in store.read(matches)}
        if words not in texts:
            lost.append(f"passage {row['passage_id']} of {row['document_id']}")
    return len(rows), lost
