"""Line 8: a hundred bad files over HTTP; each is refused with its reason, and questions are answered meanwhile."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx
import psutil

from evaluation.scoreboard.clients import Asking, Times, ask, bearer, furnish, idle, keys_for, settle, slower
from evaluation.scoreboard.hostile_files import bad_files
from evaluation.scoreboard.line import Line
from evaluation.scoreboard.policies import ROOT, text_of
from evaluation.scoreboard.served import Server, serving
from ingest.isolation.limits import MEBIBYTE
from ingest.isolation.reader import SECONDS

EVERY: Final = 0.2  # seconds between questions: busy for an office, far from what the server can do
# The files come in so many lots with some idle seconds before each, so that whatever else this machine does counts on
# both sides.
LOTS: Final = 5
IDLE_SECONDS: Final = 5.0
# Quick: every so many files, in one lot.
QUICK_STEP: Final = 9
QUICK_IDLE_SECONDS: Final = 2.0
# Seconds between looks at the memory of the readers: one that runs wild takes about 200 MiB a second, and a look takes
# some milliseconds of a core.
LOOKING: Final = 0.05
MOST_MEMORY: Final = 512 * MEBIBYTE  # of a reader, with the code of the libraries that it shares
GOOD: Final = "good.txt"
READER: Final = "ingest.isolation"  # in the command line of a process that reads files

# A path of this machine as any reason could hold it.
_PATH: Final = re.compile(r"(?:^|[\s'\"(])/(?:[\w.-]+/)+|[A-Za-z]:\\")


def run(work: Path, *, quick: bool) -> Line:
    """All hundred files, in the quick form every ninth, while questions are asked."""
    started = time.perf_counter()
    files = dict(list(bad_files().items())[:: QUICK_STEP if quick else 1])
    lots, seconds = (1, QUICK_IDLE_SECONDS) if quick else (LOTS, IDLE_SECONDS)
    data = work / "kb"
    admin, keys = furnish(data, keys_for(EVERY))
    before, meanwhile = Times(), Times()
    faults: list[tuple[str, str]] = []
    slowest = 0.0
    with serving(data, ZHICE_SAMPLES="0") as server, Watched(server) as readers:
        settle(server, keys[0])
        for lot in range(lots):
            before.add(idle(Asking(server.address, keys, every=EVERY), seconds))
            with Asking(server.address, keys, every=EVERY) as asking:
                wrong, longest = _upload(server, admin, dict(list(files.items())[lot::lots]))
            meanwhile.add(asking.times)
            faults, slowest = faults + wrong, max(slowest, longest)
        faults += _afterwards(server, admin, keys[0], files)
    ratio = meanwhile.p95 / before.p95
    refused = len(files) - sum(file in files for file, _ in faults)
    said = [fault for _, fault in faults] + before.wrong + meanwhile.wrong
    passed = not said and readers.peak <= MOST_MEMORY and slowest <= SECONDS and ratio < slower(quick=quick)
    return Line(
        8,
        "100 bad files: bombs, entities, locked, cut off, false, empty, deep",
        f"{len(files)} different files uploaded over HTTP by an administrator while a client asks every {EVERY * 1000:.0f} ms; "
        "the readers' memory is looked at from outside",
        f"{refused} of {len(files)} clear errors; reader at most {readers.peak / MEBIBYTE:.0f} MiB, slowest file {slowest:.1f} s; "
        f"p95 {1000 * before.p95:.0f} ms before, {1000 * meanwhile.p95:.0f} ms meanwhile ({ratio:.2f} x)"
        + "".join(f"; {each} ({count} x)" for each, count in Counter(said).most_common(3)),
        passed,
        time.perf_counter() - started,
    )


def _upload(server: Server, admin: str, files: Mapping[str, bytes]) -> tuple[list[tuple[str, str]], float]:
    """Upload one file after the other; (file, fault), and the seconds that the slowest took."""
    faults, slowest = [], 0.0
    # The client's patience is longer than the reader's, so that it is the server that ends what takes too long.
    with httpx.Client(base_url=server.address, timeout=2 * SECONDS, trust_env=False, headers=bearer(admin)) as client:
        for name, content in files.items():
            begun = time.perf_counter()
            try:
                reply = client.post("/api/documents", files={"file": (name, content)})
                fault = fault_of(reply.status_code, reply.json())
            except (httpx.HTTPError, ValueError) as error:
                fault = f"{type(error).__name__} instead of a reason"
            slowest = max(slowest, time.perf_counter() - begun)
            faults += [(name, fault)] if fault else []
    return faults, slowest


def fault_of(status: int, reply: Mapping[str, Any]) -> str:
    """Why the reply to a bad file is no clear error; nothing if it is one."""
    if 400 <= status < 500:
        reasons = [str(reply.get("error", {}).get("message", ""))]
    elif status != 200:
        return f"status {status}"
    else:
        taken = reply["files"]
        if not taken or any(each["outcome"] != "failed" for each in taken):
            return "a bad file was taken in"
        reasons = [each.get("reason", "") for each in taken]
    if not all(reason.endswith(".") and "\n" not in reason for reason in reasons):
        return "a reason that is no sentence"
    inside = (str(ROOT), sys.prefix, "Traceback")
    if any(_PATH.search(reason) or any(part in reason for part in inside) for reason in reasons):
        return "a reason that tells of this machine"
    return ""


def _afterwards(server: Server, admin: str, key: str, files: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """The server goes on: it answers, a good file goes in, and nothing of the bad ones is among the documents."""
    if not server.alive:
        return [("", "the server is gone")]
    with httpx.Client(base_url=server.address, timeout=SECONDS, trust_env=False) as client:
        faults = [("", fault) for fault in [ask(client, key)] if fault]
        good = client.post("/api/documents", headers=bearer(admin), files={"file": (GOOD, text_of(99, 1).encode())})
        if [each["outcome"] for each in good.json().get("files", [])] != ["added"]:
            faults.append(("", "a good file is not taken in any more"))
        documents = client.get("/api/documents", headers=bearer(key)).json()["documents"]
    sources = [document["source"] for document in documents]
    # What is in an archive is listed under its own name; so whatever is no policy of ours came out of a bad file.
    faults += [(each, "is among the documents") for each in sources if each != GOOD and not each[:4].isdigit()]
    faults += [(each, "is among the documents twice") for each, count in Counter(sources).items() if count > 1]
    return [*faults, *((name, "is among the documents") for name in files if name in sources)]


class Watched:
    """Looks at the memory of a server's readers while the block runs; `peak` is the largest seen, in bytes."""

    def __init__(self, server: Server) -> None:
        self.peak = 0
        self._server = psutil.Process(server.process.pid)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watching readers")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stopped.wait(LOOKING):
            try:
                for child in self._server.children(recursive=True):
                    # In the moment in which it is started, a process still is the server's own image.
                    if READER in child.cmdline():
                        self.peak = max(self.peak, child.memory_info().rss)
            except psutil.NoSuchProcess:
                continue
