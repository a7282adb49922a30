"""Line 3: the disk is full in the middle of an ingest, and then has room again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evaluation.scoreboard.line import Line
from evaluation.scoreboard.policies import ROOT, astray, text_of, write_policies
from ingest.pipeline import ingest_into
from vectorstore.store import PolicyStore

DISK: Final = 24  # MiB
CLAUSES: Final = 16


@dataclass(frozen=True, slots=True)
class _Form:
    """How many documents go in, the bytes in their way, and the largest file where nothing can be mounted."""

    documents: int
    ballasts: tuple[int, ...]
    largest: int


# 300 documents take 8 MiB and 5 for their index: the disk is full while they go in, or when the index is built.
FULL: Final = _Form(300, (19 * 2**20, 13 * 2**20), 3 * 2**20)
QUICK: Final = _Form(80, (23 * 2**20,), 2**20)

# Takes a folder in until that fails; tells each document that is in, and how it ended.
_FILL: Final = """
import json, resource, signal, sys
from pathlib import Path
from ingest.pipeline import ingest_into
from vectorstore.errors import ZhiceError
from vectorstore.store import PolicyStore

folder, data, largest = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
if largest:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
names, error = [], None
try:
    store = PolicyStore(data)
    ingest_into(store, [folder], progress=lambda done, total, name: names.append(name))
    store.refresh_index(force=True)
except ZhiceError as raised:
    error = str(raised)
print(json.dumps({"told": names[:-1], "error": error}))
"""


def run(work: Path, *, quick: bool) -> Line:
    """The documents into a disk that is full at two moments; in the quick form fewer, and at one."""
    form = QUICK if quick else FULL
    started = time.perf_counter()
    wrong, told = list[str](), list[int]()
    write_policies(work / "policies", range(1, form.documents + 1), clauses=CLAUSES)
    for ballast in form.ballasts:
        with _disk(work / "disk") as mounted:
            in_the_way = work / "disk" / "ballast"
            if mounted:
                in_the_way.write_bytes(bytes(ballast))
            errors, names = _fill(work, 0 if mounted else form.largest)
            in_the_way.unlink(missing_ok=True)
            wrong += errors + _after(work, names, form.documents)
            told.append(len(names))
        if not mounted:
            break
    how = (
        f"{DISK} MiB tmpfs"
        if mounted
        else f"folder with files of at most {form.largest / 2**20:.0f} MiB (nothing can be mounted)"
    )
    return Line(
        3,
        "disk full during ingest",
        f"{form.documents} documents into a {how}, full {'while they go in and when the index is built' if len(told) > 1 else 'while they go in'}; then room is made, and they "
        "are taken in again",
        f"{len(wrong)} unclear errors, lost documents or unfindable passages; {' and '.join(map(str, told))} documents were told "
        "before it was full" + "".join(f"; {each}" for each in wrong[:3]),
        not wrong,
        time.perf_counter() - started,
    )


def _fill(work: Path, largest: int) -> tuple[list[str], list[str]]:
    """What is wrong with how an ingest ends on a full disk, and the documents that it told before."""
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", _FILL, str(work / "policies"), str(work / "disk" / "kb"), str(largest)],
        capture_output=True, text=True, cwd=ROOT, timeout=300,
    )  # fmt: skip
    if done.returncode:
        return [f"the process ended with {done.returncode}: {done.stderr.strip()[-200:]}"], []
    said = json.loads(done.stdout)
    error = said["error"] or ""
    clear = str(work / "disk") in error and "ree disk space" in error
    return ([] if clear else [f"it said {error!r}"]), said["told"]


def _after(work: Path, told: list[str], documents: int) -> list[str]:
    """What is wrong once there is room again."""
    store = PolicyStore(work / "disk" / "kb")
    try:
        there = {record.source: store.text(record.document_id, record.version) for record in store.catalog.records()}
        wrong = [f"{name} is lost" for name in told if there.get(name) != text_of(int(name[:4]), 1, CLAUSES)]
        report = ingest_into(store, [work / "policies"])
        if report.failed or len(store.catalog.records()) != documents:
            wrong.append(f"the next ingest left {len(store.catalog.records())} of {documents} documents")
        if not store.refresh_index(force=True) or not store.open_index():
            wrong.append("the index cannot be built")
        return wrong + astray(store)
    finally:
        store.close()


@contextmanager
def _disk(folder: Path) -> Iterator[bool]:
    """A small disk at a folder, and whether it is one: mounting needs root."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "tmpfs", str(folder)]
    mounted = hasattr(os, "geteuid") and os.geteuid() == 0 and _succeeds(mount)
    try:
        yield mounted
    finally:
        if mounted:
            _succeeds(["umount", "--lazy", str(folder)])


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=30).returncode == 0  # noqa: S603 - mount and umount
    except (OSError, subprocess.TimeoutExpired):
        return False
