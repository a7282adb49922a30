"""Reading in a process of its own: whatever a reader does, the file gets a reason and the next one is read."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import psutil
import pytest

from ingest.errors import UnreadableDocument
from ingest.isolation import IsolatedReader
from ingest.preparing import prepare
from tests.conftest import PARK

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")

SECONDS = 3.0


@pytest.fixture
def reader() -> Iterator[IsolatedReader]:
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with IsolatedReader(module="tests.ingest.misbehaving", seconds=SECONDS, overall_seconds=8) as isolated:
        yield isolated
    left = {child.pid for child in psutil.Process().children(recursive=True)} - before
    assert left == set()


def text(reader: IsolatedReader, deed: str) -> str:
    return reader.prepare(deed.encode(), "a.txt")[0].text


def refusal(reader: IsolatedReader, deed: str) -> str:
    """The reason the file gets, and proof that the next one is read all the same."""
    with pytest.raises(UnreadableDocument) as caught:
        text(reader, deed)
    assert text(reader, "text:next") == "next"
    return str(caught.value)


def test_the_result_is_the_same_as_in_this_process() -> None:
    with IsolatedReader() as isolated:
        assert isolated.prepare(PARK.encode(), "park.txt") == prepare(PARK.encode(), "park.txt")


def test_a_readers_own_reason_comes_through() -> None:
    with IsolatedReader() as isolated, pytest.raises(UnreadableDocument, match="It is empty"):
        isolated.prepare(b"", "empty.txt")


def test_one_process_reads_file_after_file(reader: IsolatedReader) -> None:
    assert len({text(reader, "process") for _ in range(5)}) == 1


def test_files_can_be_submitted_ahead_and_come_out_in_order(reader: IsolatedReader) -> None:
    futures = [reader.submit(f"text:{number}".encode(), "a.txt") for number in range(20)]
    assert [future.result()[0].text for future in futures] == [str(number) for number in range(20)]


def test_several_workers_read_at_once() -> None:
    with IsolatedReader(module="tests.ingest.misbehaving", workers=2) as isolated:
        started = time.monotonic()
        futures = [isolated.submit(b"pages:1,1.5", "a.txt"), isolated.submit(b"pages:1,1.5", "b.txt")]
        assert [future.result()[0].source for future in futures] == ["a.txt", "b.txt"]
        both = time.monotonic() - started
        assert len({future.result()[0].text for future in [isolated.submit(b"process", "a.txt")]}) == 1
    assert both < 1.5 + 1.4 + 3  # a start of two processes on a busy machine, but not one file after the other


@linux
def test_a_memory_hog_is_refused_with_the_limit(reader: IsolatedReader) -> None:
    assert "more memory than 512 MiB" in refusal(reader, "memory:600")


@linux
def test_text_recognition_may_take_more_but_not_all(reader: IsolatedReader) -> None:
    assert text(reader, "recognised:600") == f"took {600 * 2**20}"
    assert "more memory than 2048 MiB" in refusal(reader, "recognised:2100")
    assert "more memory than 512 MiB" in refusal(reader, "memory:600")


def test_a_library_that_aborts_for_want_of_memory_is_told_from_a_crash(reader: IsolatedReader) -> None:
    assert "more memory than" in refusal(reader, "aborted")


def test_an_endless_loop_is_ended_at_the_deadline(reader: IsolatedReader) -> None:
    started = time.monotonic()
    assert "took more than 3 s" in refusal(reader, "loop")
    assert SECONDS <= time.monotonic() - started < SECONDS + 6


def test_pages_done_buy_time_and_are_reported(reader: IsolatedReader) -> None:
    seen: list[tuple[int, int]] = []
    document, _ = reader.prepare(b"pages:4,1", "a.txt", on_page=lambda done, total: seen.append((done, total)))
    assert document.text == "4 pages"  # which took longer than the 3 s a file without pages has
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_pages_do_not_buy_time_for_ever(reader: IsolatedReader) -> None:
    assert "split it into parts" in refusal(reader, "pages:100,0.5")


def test_the_same_page_again_is_no_progress(reader: IsolatedReader) -> None:
    assert "ended abnormally" in refusal(reader, "same page")


@pytest.mark.parametrize("deed", ["segfault", "killed", "gone"])
def test_a_process_that_dies_is_replaced(reader: IsolatedReader, deed: str) -> None:
    assert "ended abnormally" in refusal(reader, deed)


def test_a_process_killed_while_it_waits_harms_no_file(reader: IsolatedReader) -> None:
    os.kill(int(text(reader, "process")), signal.SIGKILL)
    assert text(reader, "text:next") == "next"


def test_a_process_killed_in_the_middle_fails_its_file_only(reader: IsolatedReader) -> None:
    process = int(text(reader, "process"))
    futures = [reader.submit(deed.encode(), "a.txt") for deed in ("pages:1,2", "text:next")]
    time.sleep(0.3)
    os.kill(process, signal.SIGKILL)
    with pytest.raises(UnreadableDocument, match="ended abnormally"):
        futures[0].result()
    assert futures[1].result()[0].text == "next"


def test_an_output_flood_is_refused(reader: IsolatedReader) -> None:
    assert "Its reader" in refusal(reader, "flood:70")


def test_text_beyond_the_limit_of_documents_is_refused(reader: IsolatedReader) -> None:
    assert "ended abnormally" in refusal(reader, "flood:20")


def test_a_flood_of_messages_does_not_stop_it(reader: IsolatedReader) -> None:
    assert text(reader, "errors") == "said much"


def done(**changes: object) -> str:
    document = {"source": "a.txt", "media_type": "text/plain", "text": "一二三四五"}
    return json.dumps({"kind": "done", "document": document, "passages": [], "last": False} | changes)


def document(**changes: object) -> str:
    return done(document={"source": "a.txt", "media_type": "text/plain", "text": "一二三四五"} | changes)


def test_what_the_next_test_alters_is_a_good_answer(reader: IsolatedReader) -> None:
    assert text(reader, "frame:" + document(pages=[0, 3], boilerplate=[[0, 5]])) == "一二三四五"


@pytest.mark.parametrize(
    "frame",
    [
        "[]",
        "{}",
        "nonsense",
        '{"kind": "done"}',
        '{"kind": ["done"]}',
        '{"kind": "ready"}',
        '{"kind": "page", "done": 2, "total": 1}',
        '{"kind": "page", "done": true, "total": 1}',
        '{"kind": "page", "done": 1, "total": 1e400}',
        '{"kind": "unreadable", "reason": 5}',
        json.dumps({"kind": "unreadable", "reason": "long " * 1000}),
        '{"kind": "unreadable", "reason": "\\u001b[31mred"}',
        '{"kind": "memory", "limit": "much"}',
        "[" * 100_000,
        document(text=5),
        document(text="half \ud800 pair"),
        document(text="zero \x00"),
        document(pages=[0, 6]),
        document(pages=[3, 0]),
        document(pages=[True]),
        document(tables=[[0, 6]]),
        document(tables=[[3, 2]]),
        document(tables=[[-1, 2]]),
        document(boilerplate=[[0, 1, 2]]),
        document(headings=[{"start": 0, "end": 9, "level": 1}]),
        document(headings=[{"start": 0, "end": 1}]),
        document(notes="a note"),
        document(surprise=1),
        document(metadata={"title": ["a"]}),
        document(metadata={"spans": {"title": [0, 99]}}),
        done(passages=[{"position": 0, "start": 0, "end": 6}]),
        done(passages=[{"position": 1, "start": 0, "end": 3}]),
        done(passages=[{"position": 0, "start": 2, "end": 2}]),
        done(passages=[{"position": 0, "start": 0, "end": 3}, {"position": 1, "start": 2, "end": 4}]),
        done(passages=[{"position": 0, "start": 0, "end": 3, "page": 7}]),
        done(passages=[{"position": 0, "start": 0, "end": 3.0}]),
        done(passages=[{"position": 0, "start": 0, "end": 3, "section": "abc"}]),
    ],
)
def test_an_answer_that_no_reader_gives_is_refused(reader: IsolatedReader, frame: str) -> None:
    with pytest.raises(UnreadableDocument, match="ended abnormally"):
        text(reader, "frame:" + frame)


@pytest.mark.parametrize("garbage", ["00", "ffffffff00", "0000001041424344", "4865"])
def test_bytes_that_are_no_frame_are_refused(reader: IsolatedReader, garbage: str) -> None:
    assert "ended abnormally" in refusal(reader, "garbage:" + garbage)


def test_secrets_do_not_reach_it(reader: IsolatedReader, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZHICE_API_KEY", "ZHICE_ADMIN_PASSWORD", "OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "secret-value")
    environment = text(reader, "environment")
    assert "secret-value" not in environment
    assert not any(name.startswith("ZHICE_") for name in json.loads(environment))


@linux
def test_memory_of_other_processes_shows_no_secret_either(reader: IsolatedReader) -> None:
    process = psutil.Process(int(text(reader, "process")))
    assert set(process.environ()) <= {*json.loads(text(reader, "environment"))}


def test_it_works_in_an_empty_folder_that_is_gone_afterwards() -> None:
    with IsolatedReader(module="tests.ingest.misbehaving") as isolated:
        folder = Path(text(isolated, "directory"))
        assert list(folder.iterdir()) == []
    assert not folder.exists()


def test_it_cannot_fill_the_disk(reader: IsolatedReader) -> None:
    assert text(reader, "written:50") == "written"
    assert "Its reader failed" in refusal(reader, "written:65")


@linux
def test_it_has_no_network_where_the_system_lets_it_go(reader: IsolatedReader) -> None:
    own = Path("/proc/self/ns/net").stat().st_ino
    if Path("/proc", text(reader, "process"), "ns/net").stat().st_ino == own:
        pytest.skip("this system does not let a process leave the network")
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert "Its reader failed" in refusal(reader, f"network:{server.getsockname()[1]}")


def test_programs_it_started_end_with_it(reader: IsolatedReader) -> None:
    process = psutil.Process(int(text(reader, "started")))
    assert process.is_running()
    reader.close()
    process.wait(timeout=5)


def test_a_fault_is_logged_without_the_files_words(reader: IsolatedReader, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert "Its reader failed" in refusal(reader, "failed")
    assert "KeyError at misbehaving.py" in caplog.text
    assert "own words" not in caplog.text


def test_closing_breaks_off_what_is_being_read() -> None:
    isolated = IsolatedReader(module="tests.ingest.misbehaving")
    futures = [isolated.submit(b"loop", "a.txt"), isolated.submit(b"text:next", "b.txt")]
    while not isolated._running:
        time.sleep(0.05)
    started = time.monotonic()
    isolated.close()
    assert time.monotonic() - started < 5
    for future in futures:
        with pytest.raises((UnreadableDocument, CancelledError), match=r"broken off|^$"):
            future.result()


def test_a_run_without_files_starts_no_process() -> None:
    with IsolatedReader() as isolated:
        assert not isolated._running


def test_a_process_that_does_not_start_is_said_to() -> None:
    with (
        IsolatedReader(module="tests.ingest.not_there") as isolated,
        pytest.raises(UnreadableDocument, match="No process could be started"),
    ):
        isolated.prepare(b"text:a", "a.txt")


@linux
def test_it_ends_with_a_parent_that_is_killed() -> None:
    program = (
        "import time\n"
        "from ingest.isolation import IsolatedReader\n"
        "reader = IsolatedReader(module='tests.ingest.misbehaving')\n"
        "print(reader.prepare(b'process', 'a.txt')[0].text, flush=True)\n"
        "reader.submit(b'loop', 'a.txt')\n"
        "time.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        time.sleep(0.3)
        parent.kill()
    assert psutil.wait_procs([child], timeout=10)[1] == []


def test_threads_may_share_one_reader(reader: IsolatedReader) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(text(reader, "text:same"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["same"] * 8
