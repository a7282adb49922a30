"""Line 2: files that are damaged when the program starts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from evaluation.scoreboard.line import Line
from evaluation.scoreboard.policies import ROOT, text_of, write_policies
from ingest.pipeline import ingest_into
from vectorstore.room import size_of
from vectorstore.store import PolicyStore

DOCUMENTS: Final = 150  # 1,200 passages: more than Chroma collects before it writes its graph
FEW: Final = 20  # in the quick form
MOST_DISK: Final = 2.0  # times the sound folder
QUESTION: Final = "第7号项目第1版要配备多少名管理人员？"

# Answers, then opens the index, then answers again; says both answers' quotes and whether the index opened.
_START: Final = """
import json, sys
from pathlib import Path
from assistant import open_assistant
from assistant.settings import Settings
with open_assistant(settings=Settings(data_dir=Path(sys.argv[1]), samples=False)) as assistant:
    quotes = lambda: [cited.quote for cited in assistant.ask(sys.argv[2]).citations]
    first = quotes()
    before = assistant.store.index_state().generation
    opened = assistant.store.open_index()
    print(json.dumps([first, opened, assistant.store.index_state().generation > before, quotes()]))
"""


def halve(path: Path) -> None:
    """Cut a file to its first half."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def zero(path: Path) -> None:
    """Let a file be as long, and all zeros."""
    path.write_bytes(bytes(path.stat().st_size))


def empty(path: Path) -> None:
    """Let a file have no length."""
    path.write_bytes(b"")


def miss(path: Path) -> None:
    """Delete a file."""
    path.unlink()


def spoil(path: Path) -> None:
    """Turn one byte in the middle around."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


WAYS: Final[Mapping[str, Callable[[Path], None]]] = {"halved": halve, "zeroed": zero, "emptied": empty, "missing": miss}
CATALOG: Final = "catalog.sqlite3"
LOG: Final = "catalog.sqlite3-wal"
INDEX: Final = ("chroma.sqlite3", "data_level0.bin", "link_lists.bin", "header.bin", "index_metadata.pickle")


def run(work: Path, *, quick: bool) -> Line:
    """Each file in each way; in the quick form four of them."""
    started = time.perf_counter()
    sound = work / "sound"
    prepare(sound, FEW if quick else DOCUMENTS)
    size, wrong, tried = size_of(sound), list[str](), 0
    kinds = [(name, way) for name in (CATALOG, LOG, *INDEX) for way in WAYS]
    if quick:
        kinds = [(CATALOG, "halved"), (CATALOG, "missing"), (LOG, "missing"), ("link_lists.bin", "halved")]
    for name, way in kinds:
        folder = work / "damaged"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(sound, folder)
        victim = folder / name if name in (CATALOG, LOG) else next((folder / "index").rglob(name))
        if way == "zeroed" and not any(victim.read_bytes()):
            continue  # it is all zeros when it is sound
        if name == CATALOG:
            (folder / LOG).unlink()  # as after a clean end
        WAYS[way](victim)
        tried += 1
        problem = _start(folder, is_index=name in INDEX)
        if not problem and size_of(folder) > MOST_DISK * size:
            problem = f"the folder grew to {size_of(folder) / size:.1f} times its size"
        if problem:
            wrong.append(f"{name} {way}: {problem}")
    return Line(
        2,
        "damaged files at start",
        f"{tried} damages in {len(kinds)} kinds (catalog, its log, Chroma's bookkeeping and HNSW files; halved, zeroed, emptied, missing), "
        "each in a process of its own that asks, opens the index and asks again",
        f"{tried - len(wrong)} of {tried} noticed and rebuilt or told" + "".join(f"; {each}" for each in wrong[:3]),
        not wrong,
        time.perf_counter() - started,
    )


def prepare(folder: Path, documents: int) -> None:
    """A data folder as a process leaves it that was killed: the last documents are in SQLite's log only."""
    policies = folder.with_name(f"{folder.name}-policies")
    write_policies(policies, range(1, documents + 1))
    live = folder.with_name(f"{folder.name}-live")
    store = PolicyStore(live)
    ingest_into(store, [policies])
    store.refresh_index(force=True)
    connection = store.catalog.connection()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    write_policies(policies, [documents + 1])
    ingest_into(store, [policies])
    shutil.copytree(live, folder)  # while it is open, so with its log
    store.close()


def _start(folder: Path, *, is_index: bool) -> str:
    """What is wrong with how a process starts on a damaged folder; nothing if all is well."""
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", _START, str(folder), QUESTION], capture_output=True, text=True, cwd=ROOT, timeout=120
    )
    if not is_index:
        return _told(folder)
    if done.returncode:
        return f"the process ended with {done.returncode}: {done.stderr.strip()[-200:]}"
    first, opened, rebuilt, second = json.loads(done.stdout)
    expected = text_of(7, 1).split("\n\n")[3].removeprefix("第3条 ").rstrip("。")
    if not opened or not rebuilt:
        return "the index was not built anew"
    if not any(expected in quote for quote in first) or first != second:
        return f"it answered {first} and then {second}"
    return ""


def _told(folder: Path) -> str:
    """What is wrong with what the command says about a damaged catalog."""
    done = subprocess.run(  # noqa: S603 - this program's own command
        [sys.executable, "-m", "app", "ask", QUESTION, "--data-dir", str(folder)],
        capture_output=True, text=True, cwd=ROOT, timeout=120,
    )  # fmt: skip
    if done.returncode != 1 or done.stdout:
        return f"it answered: {done.stdout[:100]!r}"
    if "Traceback" in done.stderr or "zhice restore" not in done.stderr or str(folder) not in done.stderr:
        return f"it said {done.stderr[-300:]!r}"
    return ""
