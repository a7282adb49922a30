from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.conftest import PARK, TALENT, Put
from vectorstore import rows
from vectorstore.encoder import load_encoder
from vectorstore.errors import EncoderMismatch, StoreDamaged, StoreError, StoreLocked, UnknownDocument
from vectorstore.fulltext import word_for_word
from vectorstore.passage import Hit, Match
from vectorstore.store import PolicyStore


class OtherEncoder:
    """An encoder of another name; its vectors are of the same make."""

    def __init__(self) -> None:
        self._encoder = load_encoder(None)
        self.name = "other"
        self.dimension = self._encoder.dimension

    def encode(self, texts: list[str]) -> np.ndarray:
        return self._encoder.encode(texts)

    def encode_query(self, text: str) -> np.ndarray:
        return self._encoder.encode_query(text)


def find(store: PolicyStore, text: str) -> list[Match]:
    return store.search(text, store.scorer(word_for_word(text)))


def search(store: PolicyStore, text: str) -> list[Hit]:
    return sorted(store.read(find(store, text)), key=lambda hit: -hit.lexical)


def test_what_was_put_is_found_with_its_exact_place(store: PolicyStore, put: Put) -> None:
    record = put("park.txt", PARK)
    best = search(store, "考核优秀的园区运营机构奖励多少")[0]
    text = store.text(record.document_id, record.version)
    assert "3000万元" in best.text
    assert text[best.passage.start : best.passage.end] == best.text
    assert best.lexical > 0
    assert -1 <= best.cosine <= 1


def test_a_meaning_without_shared_words_is_found_by_vector(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK)
    hits = store.search("subsidy for park operators", store.scorer([]))
    assert hits
    assert all(hit.lexical == 0 for hit in hits)


def test_a_new_version_replaces_the_old_one_whose_text_stays(store: PolicyStore, put: Put) -> None:
    first = put("park.txt", PARK)
    second = put("park.txt", PARK.replace("3000万元", "3500万元"))
    assert (second.document_id, second.version) == (first.document_id, 2)
    assert "3000万元" in store.text(first.document_id, 1)
    assert not any("3000万元" in hit.text for hit in search(store, "园区运营机构奖励"))
    assert any("3500万元" in hit.text for hit in search(store, "园区运营机构奖励"))


def test_a_removed_document_is_not_found_but_can_still_be_read(store: PolicyStore, put: Put) -> None:
    record = put("park.txt", PARK)
    store.remove(record.document_id)
    assert search(store, "园区运营机构奖励") == []
    assert store.catalog.records() == []
    assert store.text(record.document_id, 1) == PARK


def test_the_first_own_document_takes_the_samples_out_of_search(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK, collection="samples")
    assert search(store, "园区运营机构奖励")
    put("talent.txt", TALENT)
    assert {hit.source for hit in find(store, "园区运营机构奖励")} == {"talent.txt"}


def test_unknown_documents_and_versions_are_named(store: PolicyStore, put: Put) -> None:
    record = put("park.txt", PARK)
    with pytest.raises(UnknownDocument, match="nothing"):
        store.remove("nothing")
    with pytest.raises(UnknownDocument, match="version 9"):
        store.text(record.document_id, 9)


def test_chroma_gives_the_same_passages_as_the_exact_scan(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK)
    put("talent.txt", TALENT)
    scanned = {hit.passage_id: hit.cosine for hit in store.search("博士安家补贴", store.scorer([]))}
    assert store.refresh_index()
    assert store.open_index()
    assert store.index_state().open
    queried = {hit.passage_id: hit.cosine for hit in store.search("博士安家补贴", store.scorer([]))}
    assert queried.keys() == scanned.keys()
    assert all(abs(queried[number] - scanned[number]) < 1e-3 for number in scanned)


def test_what_is_newer_than_the_index_is_found_and_what_is_gone_is_not(store: PolicyStore, put: Put) -> None:
    gone = put("park.txt", PARK)
    store.refresh_index()
    store.open_index()
    put("talent.txt", TALENT)
    store.remove(gone.document_id)
    assert {hit.source for hit in find(store, "补贴")} == {"talent.txt"}


@pytest.mark.parametrize(("bound", "built"), [(1, True), (1000, False)])
def test_many_new_passages_make_a_new_index_though_they_are_a_small_share(
    store: PolicyStore, put: Put, monkeypatch: pytest.MonkeyPatch, bound: int, built: bool
) -> None:
    put("park.txt", PARK)
    assert store.refresh_index()
    monkeypatch.setattr(rows, "PENDING_SHARE", 10.0)
    monkeypatch.setattr(rows, "PENDING_PASSAGES", bound)
    put("talent.txt", TALENT)
    assert store.refresh_index() == built


def test_an_index_that_another_process_builds_is_opened(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK)
    store.refresh_index(force=True)
    server = PolicyStore(store.place)
    assert server.open_index()
    opened = server.index_state().generation
    put("talent.txt", TALENT)
    store.refresh_index(force=True)
    give_up = time.monotonic() + 20
    while server.index._open.row["generation"] == opened and time.monotonic() < give_up:
        assert find(server, "博士研究生安家补贴")  # answered all the while
        time.sleep(0.05)
    assert server.index._open.row["generation"] == server.index_state().generation > opened
    server.close()


def test_a_small_change_waits_for_the_next_generation(store: PolicyStore, put: Put) -> None:
    for number in range(12):
        put(f"{number}.txt", PARK.replace("3000万元", f"{number + 1}00万元"))
    assert store.refresh_index()
    put("one.txt", "海州市住房公积金管理办法\n\n缴存比例为12%。\n")
    assert not store.refresh_index()
    assert store.index_state().indexed < store.index_state().passages
    assert store.refresh_index(force=True)
    assert store.index_state().indexed == store.index_state().passages


@pytest.mark.parametrize("damage", ["halve", "zero", "delete", "sqlite"])
def test_a_damaged_index_is_noticed_and_built_anew(store: PolicyStore, put: Put, damage: str) -> None:
    for number in range(100):  # enough rows for Chroma to write its files
        put(f"{number}.txt", "".join(f"第{line}条 奖励{number}年{line}万元。\n\n" for line in range(1, 14)))
    store.refresh_index(force=True)
    (folder,) = (store.folder / "index").iterdir()
    victim = folder / "chroma.sqlite3" if damage == "sqlite" else next(folder.rglob("data_level0.bin"))
    data = victim.read_bytes()
    if damage == "delete":
        victim.unlink()
    else:
        victim.write_bytes(data[: len(data) // 2] if damage == "halve" else bytes(len(data)))
    generation = store.index_state().generation
    assert store.open_index()
    assert store.index_state().generation > generation
    assert [path.name for path in (store.folder / "index").iterdir()] == [str(store.index_state().generation)]
    assert find(store, "奖励5年3万元")


def test_another_encoder_is_refused_and_reindex_named(tmp_path: Path, put: Put, store: PolicyStore) -> None:
    put("park.txt", PARK)
    with pytest.raises(EncoderMismatch, match="zhice reindex"):
        PolicyStore(store.place, encoder=OtherEncoder())
    other = PolicyStore(store.place, encoder=OtherEncoder(), check_encoder=False)
    assert other.reencode() > 0
    other.close()
    PolicyStore(store.place, encoder=OtherEncoder()).close()
    with pytest.raises(EncoderMismatch):
        PolicyStore(store.place)


def test_a_second_process_cannot_write_and_is_told_who_does(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK)
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from vectorstore.encoder import load_encoder\n"
        "from vectorstore.errors import StoreLocked\n"
        "from vectorstore.store import PolicyStore\n"
        "store = PolicyStore(Path(sys.argv[1]), encoder=load_encoder(os.environ['ZHICE_ENCODER']))\n"
        "try:\n"
        "    store.remove(store.catalog.records()[0].document_id)\n"
        "except StoreLocked as error:\n"
        "    print(error)\n"
    )
    with store.writing():
        refused = subprocess.run(
            [sys.executable, "-c", script, str(store.folder)], capture_output=True, text=True, timeout=60
        )
    assert "being written by process" in refused.stdout, refused.stderr
    assert len(store.catalog.records()) == 1


def test_threads_of_one_process_take_turns(store: PolicyStore, put: Put) -> None:
    errors: list[Exception] = []

    def write(number: int) -> None:
        try:
            put(f"{number}.txt", PARK, key=str(number))
        except (StoreLocked, StoreError) as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(store.catalog.records()) == 8


def test_no_catalog_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "catalog.sqlite3").write_bytes(b"this is no database " * 100)
    with pytest.raises(StoreDamaged, match="catalog"):
        PolicyStore(tmp_path)


def test_a_folder_that_is_a_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "kb").write_text("x")
    with pytest.raises(StoreError, match="data-dir"):
        PolicyStore(tmp_path / "kb")


def test_feedback_is_kept(store: PolicyStore) -> None:
    store.catalog.keep_answer("a1", {"text": "x"})
    store.catalog.add_feedback("a1", -1, "wrong year")
    assert store.catalog.answer("a1") == {"text": "x"}
    (given,) = store.catalog.feedback()
    assert (given["answer_id"], given["rating"], given["reason"]) == ("a1", -1, "wrong year")


def test_the_bundled_encoder_is_recorded(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK)
    assert store.catalog.meta("encoder") == store.encoder.name


def test_threads_that_have_ended_leave_no_file_open(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK)
    process = psutil.Process()

    def look() -> None:
        thread = threading.Thread(target=store.catalog.records)
        thread.start()
        thread.join()

    look()
    before = len(process.open_files())
    for _ in range(20):
        look()
    assert len(process.open_files()) <= before


def test_closing_ends_what_other_threads_read_and_not_the_process(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys, threading, time
        from pathlib import Path
        from vectorstore.catalog import Catalog
        from vectorstore.errors import StoreError

        refused = []
        for number in range(10):
            catalog = Catalog(Path(sys.argv[1]) / "catalog.sqlite3")

            def read():
                try:
                    while True:
                        catalog.connection().execute(
                            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 20000) SELECT sum(i) FROM n"
                        ).fetchone()
                except StoreError as error:
                    refused.append(str(error))

            threads = [threading.Thread(target=read) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(0.05)
            catalog.close()
            for thread in threads:
                thread.join(10)
        print(len(refused), set(refused))
        """
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("40 {'The catalog ")
