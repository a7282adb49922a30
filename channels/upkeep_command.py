"""`zhice doctor | reindex | backup | restore | migrate`: the knowledge base looked after, in the shell."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from assistant.errors import SettingError
from assistant.settings import Settings, database_address

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

    migrate = commands.add_parser("migrate", help="copy the data folder's knowledge base into a database, and prove it")
    migrate.add_argument(
        "--to", required=True, metavar="URL", help="an empty database: postgresql://user@host:port/name"
    )
    migrate.set_defaults(run=_migrate)
    return [reindex, doctor, backup, restore, migrate]


def _reindex(_: argparse.Namespace, settings: Settings) -> int:
    from vectorstore.encoder import load_encoder
    from vectorstore.store import PolicyStore

    store = PolicyStore(settings.place, encoder=load_encoder(settings.encoder), check_encoder=False)
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

    contents = back_up(settings.place, options.file)
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

    if settings.database_url:
        raise SettingError(
            "A backup is put back into a folder, and ZHICE_DATABASE_URL names a database. Unset it, restore, and copy the "
            "folder into an empty database with `zhice migrate --to URL`."
        )
    with unpacked(options.file, settings.data_dir, force=options.force) as (beside, contents):
        _index(beside, settings)
        with open_assistant(
            settings=replace(settings, data_dir=beside, samples=False, model=None, chroma_url=None)
        ) as assistant:
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


def _migrate(options: argparse.Namespace, settings: Settings) -> int:
    from vectorstore.migrating import migrate

    copied, missing = migrate(settings.data_dir, database_address(options.to, "--to"))
    for table, count in copied.items():
        print(f"{table:14} {count:10,} rows, equal")
    print("Set ZHICE_DATABASE_URL to the database; the folder stays as it is. `zhice reindex` builds the index anew.")
    for digest in missing:
        print(f"zhice: the uploaded file {digest} is gone or damaged and was not copied.", file=sys.stderr)
    return FAILED if missing else DONE


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
