"""`zhice list | show | diff | correct | remove`: the documents, in the shell."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from assistant.settings import Settings
from vectorstore.corrections import FIELDS
from vectorstore.errors import InvalidCorrection, UnknownDocument

if TYPE_CHECKING:
    from assistant.comparing import Change
    from vectorstore.passage import Document, Span

DONE = 0
_SHOWN = ("document_id", "version", "source", "state", *FIELDS)


def add_documents(commands: Any) -> list[argparse.ArgumentParser]:
    """Add the commands to an argument parser's commands; gives their parsers."""
    listing = commands.add_parser("list", help="list the documents")
    listing.add_argument("--json", action="store_true", help="print one JSON object a document")
    listing.set_defaults(run=_list)

    show = commands.add_parser("show", help="show a document's fields and text")
    show.set_defaults(run=_show)

    diff = commands.add_parser("diff", help="show what changed between two versions of a document")
    diff.add_argument(
        "--from", type=int, dest="old", metavar="N", help="the earlier version; the last but one by default"
    )
    diff.add_argument("--to", type=int, dest="new", metavar="N", help="the later version; the last by default")
    diff.add_argument("--json", action="store_true", help="print one JSON object a change")
    diff.set_defaults(run=_diff)

    correct = commands.add_parser("correct", help="set fields of a document right; reading it again keeps them")
    correct.set_defaults(run=_correct)
    for parser in (show, diff, correct):
        parser.add_argument("id", metavar="ID", help="a document id, as `zhice list` prints it")
    correct.add_argument(
        "field",
        nargs="*",
        metavar="FIELD=VALUE",
        help=f"one of {', '.join(FIELDS)}; FIELD= empties it, none at all undoes",
    )

    remove = commands.add_parser("remove", help="take documents out of search; old citations still open")
    remove.add_argument("id", nargs="+", metavar="ID", help="a document id, as `zhice list` prints it")
    remove.set_defaults(run=_remove)
    return [listing, show, diff, correct, remove]


def _list(options: argparse.Namespace, settings: Settings) -> int:
    from assistant import open_assistant

    with open_assistant(settings=settings) as assistant:
        for row in assistant.documents():
            if options.json:
                print(json.dumps(row, ensure_ascii=False))
            else:
                period = f"{row['valid_from'] or ''}..{row['valid_until'] or ''}"
                dates = " ".join(part for part in (row["published"], period) if part)
                print(f"{row['document_id']}  v{row['version']}  {dates:33}  {row['title']}  ({row['source']})")
    return DONE


def _show(options: argparse.Namespace, settings: Settings) -> int:
    from assistant import open_assistant

    with open_assistant(settings=settings) as assistant:
        catalog = assistant.store.catalog
        record = catalog.record(options.id)
        document = catalog.document(record.document_id, record.version)
        corrected = catalog.corrections(record.document_id)
        for name in _SHOWN:
            value = getattr(record if hasattr(record, name) else record.metadata, name)
            print(f"{name:12} {value if value is not None else '-'}{' (corrected)' if name in corrected else ''}")
        for note in document.notes:
            print(f"{'note':12} {note}")
        print("\n" + document.text)
    return DONE


def _diff(options: argparse.Namespace, settings: Settings) -> int:
    from assistant import open_assistant
    from assistant.comparing import compare

    with open_assistant(settings=settings) as assistant:
        catalog = assistant.store.catalog
        versions = [version for version, _ in catalog.versions(options.id)]
        new = options.new or versions[-1]
        old = options.old or max((version for version in versions if version < new), default=None)
        if old is None:
            raise UnknownDocument(f"The document {options.id} has one version only; there is nothing to compare.")
        before, after = catalog.document(options.id, old), catalog.document(options.id, new)
    changes = compare(before, after)
    if options.json:
        for change in changes:
            print(json.dumps(_plain(change, before, after), ensure_ascii=False))
        return DONE
    print(f"{after.metadata.title or after.source}: version {old} -> {new}, {len(changes)} sentences changed")
    for change in changes:
        print()
        if change.old:
            print(f"- {_numbered(before.text, change.old, change.old_numbers)}")
        if change.new:
            print(f"+ {_numbered(after.text, change.new, change.new_numbers)}")
    return DONE


def _plain(change: Change, old: Document, new: Document) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "old": old.text[slice(*change.old)] if change.old else None,
        "new": new.text[slice(*change.new)] if change.new else None,
        "old_numbers": [old.text[slice(*span)] for span in change.old_numbers],
        "new_numbers": [new.text[slice(*span)] for span in change.new_numbers],
    }


def _numbered(text: str, sentence: Span, numbers: Iterable[Span]) -> str:
    """A sentence on one line, the numbers that changed in 【】."""
    shown, position = "", sentence[0]
    for start, end in numbers:
        shown += f"{text[position:start]}【{text[start:end]}】"
        position = end
    return " ".join((shown + text[position : sentence[1]]).split())


def _correct(options: argparse.Namespace, settings: Settings) -> int:
    fields: dict[str, str] = {}
    for given in options.field:
        name, sign, value = given.partition("=")
        if not sign:
            raise InvalidCorrection(f"{given!r} sets no field; write FIELD=VALUE, as valid_until=2026-12-31.")
        fields[name.strip()] = value.strip()
    from assistant import open_assistant

    with open_assistant(settings=settings) as assistant:
        known = assistant.store.catalog.corrections(options.id, "desk") if fields else {}
        changed = assistant.store.correct(options.id, {**known, **fields})
        print(f"{options.id} {'corrected' if changed else 'is so already'}")
    return DONE


def _remove(options: argparse.Namespace, settings: Settings) -> int:
    from assistant import open_assistant

    with open_assistant(settings=settings) as assistant:
        for document_id in options.id:
            assistant.store.remove(document_id)
            print(f"{document_id} removed")
        assistant.store.refresh_index()
    return DONE
