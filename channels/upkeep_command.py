"""`zhice doctor | reindex | backup | restore`: the data folder looked after, in the shell."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from assistant.settings import Settings

DONE, FAILED = 0, 1


def add_upkeep(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> list[argparse.ArgumentParser]:
    """Add the commands, each with the function that runs it as `run`; gives their parsers."""
    reindex = commands.add_parser("reindex", help="make all vectors and the Chroma index anew from the catalog")
    reindex.set_defaults(run=_reindex)

    doctor = commands.add_parser("doctor", help="check the data folder and the installation")
    doctor.add_argument("--fix", action="store_true", help="repair what can be repaired without losing anything")
    doctor.set_defaults(run=_doctor)

    backup = commands.add_parser("backup", help="write the documents and all that is known of them to one file")
    backup.add_argument("file", type=Path, metavar="FILE", help="a new file, such as zhice.zip; the server may go on")
    backup.set_defaults(run=_backup)

    restore = commands.add_parser("restore", help="make a data folder of a backup, and prove it")
    restore.add_argument("file", type=Path, metavar="FILE", help="what `zhice backup` wrote")
    restore.add_argument("--force", action="store_true", help="keep what is in the folder under another name")
    restore.set_defaults(run=_restore)
    return [reindex, doctor, backup, restore]


def _reindex(_: argparse.Namespace, settings: Settings) -> int:
    from vectorstore.encoder import load_encoder
    from vectorstore.store import PolicyStore

    store = PolicyStore(settings.data_dir, encoder=load_encoder(settings.encoder), check_encoder=False)
    try:
        count = store.reencode()
        store.refresh_index(force=True)
        print(f"{count} passages encoded with {store.encoder.name} and indexed")
    finally:
        store.close()
    return DONE


def _doctor(options: argparse.Namespace, settings: Settings) -> int:
    from assistant.doctor import examine

    healthy = True
    for finding in examine(settings, fix=options.fix):
        healthy = healthy and finding.good
        print(f"{'ok  ' if finding.good else 'FAIL'}  {finding.subject}: {finding.detail}")
    return DONE if healthy else FAILED


def _backup(options: argparse.Namespace, settings: Settings) -> int:
    from vectorstore.backup import back_up
    from vectorstore.room import mebibytes, size_of

    contents = back_up(settings.data_dir, options.file)
    print(
        f"{options.file}: {contents.documents} documents, {contents.passages} passages, {contents.answers} answers, "
        f"{contents.uploads} uploaded files; {mebibytes(size_of(options.file))}"
    )
    for digest in contents.missing:
        print(
            f"zhice: the uploaded file {digest} is gone or damaged and not in the backup; `zhice doctor` names its document.",
            file=sys.stderr,
        )
    return FAILED if contents.missing else DONE


def _restore(options: argparse.Namespace, settings: Settings) -> int:
    """Everything is made and proven beside the folder, which is touched only then."""
    from assistant import open_assistant
    from assistant.proof import prove
    from vectorstore.backup import put_in_place, unpacked

    with unpacked(options.file, settings.data_dir, force=options.force) as (beside, contents):
        _index(beside, settings)
        with open_assistant(settings=replace(settings, data_dir=beside, samples=False, model=None)) as assistant:
            assistant.store.open_index()
            proof = prove(assistant)
        aside = put_in_place(beside, settings.data_dir, force=options.force)
    print(f"{settings.data_dir}: {contents.documents} documents, {contents.passages} passages, as of {contents.made}")
    print(f"{proof.same} of {proof.asked} kept answers came out the same", end="")
    print(f"; {proof.since} were given before the last documents came in" if proof.since else "")
    print(f"{proof.found} of {proof.passages} passages found themselves")
    if aside is not None:
        print(f"what was there before is kept in {aside}; delete it when you are content")
    for failed in proof.failed:
        print(f"zhice: not as before: {failed}", file=sys.stderr)
    return DONE if proof.good else FAILED


def _index(folder: Path, settings: Settings) -> None:
    """Build what is not in a backup; the vectors, too, where they were made by another encoder."""
    from vectorstore.encoder import load_encoder
    from vectorstore.store import PolicyStore

    store = PolicyStore(folder, encoder=load_encoder(settings.encoder), check_encoder=False)
    try:
        built_with = store.catalog.meta("encoder")
        if built_with not in (None, store.encoder.name):
            print(f"{store.reencode()} passages encoded with {store.encoder.name} instead of {built_with}")
        store.refresh_index(force=True)
    finally:
        store.close()
