"""What only a database can show: migrations, a copy that is proven, locks across processes, a server that goes away."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from app import main
from tests.conftest import PARK, TALENT, Put
from tests.services.postgres_server import Server
from vectorstore.backup import back_up
from vectorstore.catalog import Catalog
from vectorstore.engines.migrations import HEAD, VERSIONS
from vectorstore.errors import StoreDamaged, StoreLocked, StoreUnavailable
from vectorstore.jobs import Jobs
from vectorstore.links import Links
from vectorstore.mailbox import Mailbox
from vectorstore.place import Place
from vectorstore.store import PolicyStore

psycopg = pytest.importorskip("psycopg", reason="`make test-services` installs the packages for PostgreSQL")


def rows(catalog: Catalog, table: str, order: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in catalog.connection().execute(f"SELECT * FROM {table} ORDER BY {order}")]


def test_the_program_reads_the_last_format() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_both_engines_have_the_same_columns(store: PolicyStore, tmp_path: Path) -> None:
    folder = PolicyStore(tmp_path / "folder")
    tables = [
        row[0]
        for row in folder.catalog.connection().execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if not row[0].startswith(("sqlite_", "passages_t"))
    ]
    assert len(tables) > 14
    for table in tables:
        here = {row["name"] for row in folder.catalog.connection().execute(f"PRAGMA table_info({table})")}
        there = store.catalog.connection().execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = ?", (table,)
        )
        assert {row[0] for row in there} == here, table
    folder.close()


def test_a_database_of_a_later_format_is_refused(place: Place) -> None:
    PolicyStore(place).close()
    with psycopg.connect(str(place.database), autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreDamaged, match="format 9999"):
        PolicyStore(place)


def test_many_processes_make_the_tables_once(place: Place) -> None:
    script = "import sys; from pathlib import Path; from vectorstore.catalog import Catalog\n"
    script += "Catalog(Path(sys.argv[1]) / 'catalog.sqlite3', database=sys.argv[2]).close()"
    command = [sys.executable, "-c", script, str(place.folder), str(place.database)]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    assert [(process.communicate(timeout=60)[1], process.returncode) for process in started] == [(b"", 0)] * 4


def test_a_folder_is_copied_and_proven(tmp_path: Path, postgres: Server, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path / "folder")
    database = postgres.database()
    assert main(["migrate", "--to", database, "--data-dir", str(tmp_path / "folder")]) == 0
    assert "passages_text" in capsys.readouterr().out
    with_database = Place(tmp_path / "elsewhere", database=database)
    copied, source = PolicyStore(with_database), PolicyStore(tmp_path / "folder")
    for table, order in (
        ("documents", "document_id"), ("versions", "document_id, version"), ("feedback", "feedback_id"),
        ("links", "code"), ("corrections", "document_id, field"), ("answers", "number"), ("jobs", "job_id"),
    ):  # fmt: skip
        assert rows(copied.catalog, table, order) == rows(source.catalog, table, order) != [], table
    columns = 'passage_id, document_id, version, position, start, "end", section, page, kind, vector, context, clauses'
    statement = f"SELECT {columns} FROM passages ORDER BY passage_id"
    both = [[tuple(row) for row in store.catalog.connection().execute(statement)] for store in (copied, source)]
    assert both[0] == both[1] != []
    assert [copied.uploads.read(digest) for digest in copied.uploads.digests()] == [TALENT.encode()]
    terms = ["博士", "3000", "园区", "没有"]
    assert copied.document_frequencies(terms) == source.document_frequencies(terms)
    before = copied.catalog.revision()
    again = copied.put(*source_document(source), key="new.txt", sha256="0" * 64)
    assert again.version == 1
    assert copied.catalog.revision() == before + 1
    copied.catalog.keep_answer("later", {})
    assert copied.catalog.kept_answers(1)[0][1] == {}
    copied.close()
    source.close()
    assert main(["migrate", "--to", database, "--data-dir", str(tmp_path / "folder")]) == 1
    assert "already" in capsys.readouterr().err


def test_a_copy_that_differs_is_not_kept(
    tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "folder")
    database = postgres.database()
    from vectorstore.engines.postgres_text import PostgresText

    put = PostgresText.put
    monkeypatch.setattr(
        PostgresText, "put", lambda self, connection, rows: put(self, connection, [(*row[:3], "x") for row in rows])
    )
    assert main(["migrate", "--to", database, "--data-dir", str(tmp_path / "folder")]) == 1
    assert "passages_text" in capsys.readouterr().err
    empty = PolicyStore(Place(tmp_path / "elsewhere", database=database))
    assert empty.catalog.records(include_removed=True) == []
    empty.close()


def test_a_backup_of_a_database_becomes_a_folder(
    store: PolicyStore, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("park.txt", PARK)
    put("talent.txt", TALENT)
    store.uploads.keep("0" * 64, b"nobody's")
    Jobs(store.catalog, store.uploads).add("waiting.txt", TALENT.encode())
    contents = back_up(store.place, tmp_path / "backup.zip")
    assert (contents.documents, contents.uploads) == (2, 1)
    monkeypatch.delenv("ZHICE_DATABASE_URL", raising=False)
    assert main(["restore", str(tmp_path / "backup.zip"), "--data-dir", str(tmp_path / "back")]) == 0
    back = PolicyStore(tmp_path / "back")
    assert [record.document_id for record in back.catalog.records()] == [
        record.document_id for record in store.catalog.records()
    ]
    assert back.document_frequencies(["博士"]) == store.document_frequencies(["博士"])
    waiting = Jobs(back.catalog, back.uploads).begin()
    assert waiting is not None
    assert back.uploads.read(waiting.sha256) == TALENT.encode()
    back.close()


def test_another_process_writes_and_is_named(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK)
    other = PolicyStore(store.place)
    with store.writing(), pytest.raises(StoreLocked, match="process"):
        other.remove(store.catalog.records()[0].document_id)
    other.remove(store.catalog.records()[0].document_id)
    other.close()
    assert store.catalog.records() == []


def test_the_lock_is_lost_with_its_connection_and_nothing_is_written_without_it(
    store: PolicyStore, put: Put, postgres: Server
) -> None:
    record = put("park.txt", PARK)
    other = PolicyStore(store.place)
    with store.writing():
        with psycopg.connect(str(store.place.database), autocommit=True) as administrator:
            administrator.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND pid != pg_backend_pid()"
            )
        other.correct(record.document_id, {"title": "another"})  # it has the lock now
        with pytest.raises(StoreUnavailable):
            store.remove(record.document_id)
    assert [each.metadata.title for each in store.catalog.records()] == ["another"]
    other.close()


def test_counts_of_terms_stay_right(store: PolicyStore, put: Put) -> None:
    first = put("park.txt", PARK)
    put("talent.txt", TALENT)
    put("park.txt", PARK.replace("3000", "4000"))
    store.correct(first.document_id, {"title": "海州园区奖励"})
    store.remove(store.catalog.records()[1].document_id)
    with store.catalog.transaction(searched=False) as connection:
        assert store.catalog.engine.fulltext.examine(connection) == ""
        connection.execute("UPDATE vocabulary SET passages = passages + 1 WHERE term = '4000'")
        assert "1 index terms" in store.catalog.engine.fulltext.examine(connection)


def test_a_restarted_server_is_found_again(store: PolicyStore, put: Put, postgres: Server) -> None:
    put("park.txt", PARK)
    postgres.stop("immediate")
    started = time.monotonic()
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="again"):
            store.catalog.records()
    assert time.monotonic() - started < 10
    postgres.start()
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        with suppress(StoreUnavailable):
            assert len(store.catalog.records()) == 1
            break
        time.sleep(0.2)
    put("talent.txt", TALENT)
    assert len(store.catalog.records()) == 2


def test_an_altered_file_is_mended_by_adding_it_again(store: PolicyStore) -> None:
    digest = hashlib.sha256(b"whole").hexdigest()
    store.uploads.keep(digest, b"whole")
    store.catalog.connection().execute("UPDATE files SET data = ?", (b"altered",))
    assert store.uploads.read(digest) is None
    store.uploads.keep(digest, b"whole")
    assert store.uploads.read(digest) == b"whole"


def test_no_transaction_begins_within_another(store: PolicyStore, put: Put) -> None:
    record = put("park.txt", PARK)
    with pytest.raises(RuntimeError, match="within another"), store.catalog.snapshot():
        store.remove(record.document_id)
    assert len(store.catalog.records()) == 1


def test_a_database_that_there_is_not_is_named(tmp_path: Path, postgres: Server) -> None:
    with pytest.raises(StoreUnavailable, match=r"nowhere.*does not exist"):
        Catalog(tmp_path / "catalog.sqlite3", database=postgres.url("nowhere"))


def test_one_message_at_many_processes_at_once_is_new_once(open_catalog: Callable[[], Catalog]) -> None:
    boxes = [Mailbox(open_catalog(), "wechat", "lost") for _ in range(4)]
    gate = threading.Barrier(len(boxes))
    found: list[bool] = []

    def arrive(box: Mailbox, message: str) -> None:
        gate.wait(10)
        found.append(box.arrive("li", message, "问").new)

    for number in range(10):
        threads = [threading.Thread(target=arrive, args=(box, str(number))) for box in boxes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (len(found), sum(found)) == (40, 10)


def test_a_server_that_is_not_there_is_said_at_once_and_no_password_shown(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(StoreUnavailable, match=r"(?i)refused.*ZHICE_DATABASE_URL") as refused:
        Catalog(tmp_path / "catalog.sqlite3", database="postgresql://zhice:secret@127.0.0.1:1/zhice")
    assert time.monotonic() - started < 3
    assert "secret" not in str(refused.value)
    assert "secret" not in repr(Place(tmp_path, database="postgresql://zhice:secret@127.0.0.1:1/zhice"))


def written(folder: Path) -> None:
    """A folder with documents of several versions, corrections, an answer, feedback and a link."""
    from ingest.preparing import prepare

    store = PolicyStore(folder)
    for name, text in (("park.txt", PARK), ("talent.txt", TALENT), ("park.txt", PARK.replace("3000", "4000"))):
        document, passages = prepare(text.encode(), name)
        store.put(document, passages, key=name, sha256=f"{len(text):064}")
    record = store.catalog.records()[0]
    store.correct(record.document_id, {"title": "改过的标题"})
    store.catalog.keep_answer("a1", {"text": "答"})
    store.catalog.add_feedback("a1", 1, "好")
    Links(store.catalog).code(record.document_id, 1, 0, 4)
    Jobs(store.catalog, store.uploads).add("waiting.txt", TALENT.encode())
    store.close()


def source_document(store: PolicyStore) -> tuple[object, object]:
    from ingest.preparing import prepare

    return prepare("海州市公告\n\n第一条 另一份文件。\n".encode(), "new.txt")
