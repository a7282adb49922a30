"""`zhice doctor | reindex | backup | restore`: what they print, and with which exit code."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import app
from assistant import open_assistant
from assistant.proof import prove
from assistant.settings import Settings
from tests.conftest import PARK, TALENT
from vectorstore.store import PolicyStore

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two documents, and two answers that were given from them."""
    folder = tmp_path_factory.mktemp("written")
    for name, text in (("park.txt", PARK), ("talent.txt", TALENT)):
        (folder / name).write_text(text, encoding="utf-8")
    assert zhice(folder / "kb", "ingest", folder / "park.txt", folder / "talent.txt") == 0
    questions = ["园区运营机构每年最高能拿到多少奖励？", "博士研究生来海州工作有多少安家补贴？", "今天天气怎么样？"]
    assert zhice(folder / "kb", "ask", *questions, "--as-of", "2026-05-01") == 0
    return folder / "kb"


@pytest.fixture
def kb(written: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(written, tmp_path / "kb")


def zhice(kb: Path, *words: object) -> int:
    return app.main([*map(str, words), "--data-dir", str(kb)])


def test_a_restored_folder_gives_the_answers_that_it_gave(kb: Path, tmp_path: Path, capsys: Captured) -> None:
    capsys.readouterr()
    assert zhice(kb, "backup", tmp_path / "b.zip") == 0
    assert "2 documents" in capsys.readouterr().out
    assert zhice(tmp_path / "again", "restore", tmp_path / "b.zip") == 0
    said = capsys.readouterr().out
    assert "2 of 2 kept answers came out the same\n" in said
    assert zhice(tmp_path / "again", "doctor") == 0
    assert zhice(kb, "restore", tmp_path / "b.zip") == 1
    assert "--force" in capsys.readouterr().err
    assert zhice(kb, "restore", tmp_path / "b.zip", "--force") == 0
    assert "is kept in" in capsys.readouterr().out


def test_a_backup_of_another_encoder_is_encoded_again(kb: Path, tmp_path: Path, capsys: Captured) -> None:
    store = PolicyStore(kb)
    store.catalog.connection().execute("UPDATE meta SET value = 'an earlier one' WHERE key = 'encoder'")
    store.catalog.connection().execute("UPDATE passages SET vector = zeroblob(512)")
    store.close()
    assert zhice(kb, "backup", tmp_path / "b.zip") == 0
    assert zhice(tmp_path / "again", "restore", tmp_path / "b.zip") == 0
    assert "instead of an earlier one" in capsys.readouterr().out
    assert zhice(tmp_path / "again", "doctor") == 0


def test_an_empty_knowledge_base_is_backed_up_and_restored(tmp_path: Path) -> None:
    PolicyStore(tmp_path / "kb").close()
    assert zhice(tmp_path / "kb", "backup", tmp_path / "b.zip") == 0
    assert zhice(tmp_path / "again", "restore", tmp_path / "b.zip") == 0
    assert zhice(tmp_path / "again", "doctor") == 0


def test_asking_again_keeps_no_answers(kb: Path) -> None:
    with open_assistant(settings=Settings(data_dir=kb, samples=False)) as assistant:
        before = assistant.store.catalog.kept_answers(100)
        assert prove(assistant).good
        assert assistant.store.catalog.kept_answers(100) == before


def test_an_answer_that_does_not_come_out_the_same_is_named(kb: Path, tmp_path: Path, capsys: Captured) -> None:
    store = PolicyStore(kb)
    store.catalog.connection().execute(
        "UPDATE answers SET asked = '2099-01-01T00:00:00+00:00', answer = replace(answer, '15万元', '16万元')"
    )
    store.close()
    assert zhice(kb, "backup", tmp_path / "b.zip") == 0
    capsys.readouterr()
    assert zhice(tmp_path / "again", "restore", tmp_path / "b.zip") == 1
    said = capsys.readouterr()
    assert "1 of 2 kept answers" in said.out
    assert "博士研究生" in said.err


def test_answers_from_documents_that_were_replaced_are_not_asked_again(kb: Path, written: Path) -> None:
    changed = written.parent / "talent.txt"
    changed.write_text(TALENT.replace("15万元", "18万元"), encoding="utf-8")
    assert zhice(kb, "ingest", changed) == 0
    changed.write_text(TALENT, encoding="utf-8")
    with open_assistant(settings=Settings(data_dir=kb, samples=False)) as assistant:
        proof = prove(assistant)
    assert (proof.asked, proof.same, proof.good) == (1, 1, True)


def test_an_answer_that_later_documents_changed_is_counted_apart(kb: Path) -> None:
    with open_assistant(settings=Settings(data_dir=kb, samples=False)) as assistant:
        assistant.store.catalog.connection().execute(
            "UPDATE answers SET asked = '2001-01-01T00:00:00+00:00', answer = replace(answer, '15万元', '16万元')"
        )
        proof = prove(assistant)
    assert (proof.asked, proof.same, proof.since, proof.good) == (2, 1, 1, True)


def test_a_passage_that_does_not_find_itself_is_named(kb: Path) -> None:
    with open_assistant(settings=Settings(data_dir=kb, samples=False)) as assistant:
        store = assistant.store
        with store.catalog.transaction() as connection:
            connection.execute("DELETE FROM passages_text WHERE rowid = 1")
        proof = prove(assistant)
    assert proof.found == proof.passages - 1
    assert "passage 1 of" in "".join(proof.failed)


def test_the_doctor_mends_on_demand_only(kb: Path, capsys: Captured) -> None:
    store = PolicyStore(kb)
    with store.catalog.transaction() as connection:
        connection.execute("UPDATE passages SET vector = X'00' WHERE passage_id = 1")
    store.close()
    for _ in range(2):
        assert zhice(kb, "doctor") == 1
        assert "FAIL  vectors: 1 vectors" in capsys.readouterr().out
    assert zhice(kb, "doctor", "--fix") == 0
    assert "ok    vectors: 1 vectors" in capsys.readouterr().out
    assert zhice(kb, "doctor") == 0


@pytest.mark.parametrize(
    "command", [["ask", "有多少补贴？"], ["list"], ["doctor"], ["backup", "x.zip"], ["keys", "list"]]
)
def test_a_lost_catalog_is_told_by_every_command(kb: Path, capsys: Captured, command: list[str]) -> None:
    (kb / "catalog.sqlite3").unlink()
    capsys.readouterr()
    assert zhice(kb, *command) == 1
    said = "".join(capsys.readouterr())
    assert str(kb) in said
    assert "Traceback" not in said
    assert not (kb / "catalog.sqlite3").exists()
