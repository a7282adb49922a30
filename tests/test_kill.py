"""An ingest that is killed at any moment loses nothing it reported and leaves nothing half done."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from ingest.pipeline import ingest_into
from vectorstore.fulltext import word_for_word
from vectorstore.store import PolicyStore

KILLS = 20
DOCUMENTS = 240

CHILD = """
import sys
from ingest import ingest_paths
print("ready", flush=True)
names = []
def progress(done, total, name):
    if names:
        print(names[-1], flush=True)  # the one before is in
    names.append(name)
ingest_paths([sys.argv[1]], data_dir=sys.argv[2], encoder=sys.argv[3], progress=progress)
"""


def test_kill_at_random_moments(tmp_path: Path, small_encoder: Path, tiny_encoder_in_place: None) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    for number in range(DOCUMENTS):
        clauses = "\n\n".join(
            f"第{line}条 对第{number}号项目给予最高{number * 10 + line}万元奖励。" for line in range(1, 9)
        )
        (folder / f"{number:03}.txt").write_text(f"第{number}号项目奖励办法\n\n{clauses}\n", encoding="utf-8")

    undisturbed = PolicyStore(tmp_path / "undisturbed")
    started = time.perf_counter()
    ingest_into(undisturbed, [folder])
    whole = time.perf_counter() - started
    undisturbed.close()

    moments = random.Random(20260301)
    data = tmp_path / "kb"
    reported: set[str] = set()
    for _ in range(KILLS):
        command = [sys.executable, "-c", CHILD, str(folder), str(data), str(small_encoder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(moments.uniform(0, 0.5 * whole))
            child.kill()
            reported |= set(child.stdout.read().split())
        store = PolicyStore(data)
        there = [record.source for record in store.catalog.records()]
        assert len(there) == len(set(there))
        assert reported <= set(there)
        for name in random.Random(len(there)).sample(there, min(3, len(there))):
            found = store.search(f"第{int(name[:3])}号项目", store.scorer(word_for_word(f"第{int(name[:3])}号项目")))
            assert name in {hit.source for hit in found}
        store.close()

    store = PolicyStore(data)
    ingest_into(store, [folder])
    assert len(store.catalog.records()) == DOCUMENTS
    connection = store.catalog.connection()
    passages = connection.execute(
        "SELECT count(*), count(DISTINCT document_id || '/' || start) FROM passages"
    ).fetchone()
    assert passages[0] == passages[1] == connection.execute("SELECT count(*) FROM passages_text").fetchone()[0]
    assert store.open_index()
    for number in range(0, DOCUMENTS, 7):
        hits = store.search(f"第{number}号项目奖励", store.scorer(word_for_word(f"第{number}号项目奖励")))
        assert f"{number:03}.txt" in {hit.source for hit in hits}
    store.close()
    assert size(data) <= 3 * size(tmp_path / "undisturbed")


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
