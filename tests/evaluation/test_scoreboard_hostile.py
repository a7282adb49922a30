"""The scoreboard's lines about hostile input, in their quick forms, and what they notice."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from evaluation.scoreboard import bad_files, limits, markup, paths
from evaluation.scoreboard.browser import CHROMIUM, FLAGS
from evaluation.scoreboard.crowd import Crowd
from evaluation.scoreboard.hostile_files import bad_files as made
from evaluation.scoreboard.hostile_names import addresses, names
from evaluation.scoreboard.payloads import payloads
from evaluation.scoreboard.policies import ROOT


@pytest.mark.parametrize("line", [bad_files, paths, limits, pytest.param(markup, marks=pytest.mark.browser)])
def test_the_quick_form_passes(line: Any, tmp_path: Path) -> None:
    measured = line.run(tmp_path, quick=True)
    if os.environ.get("CI") == "true":
        assert not measured.skipped_because
    assert measured.passed or measured.skipped_because, measured.figure


# bad files


def test_there_are_a_hundred_different_bad_files() -> None:
    files = made()
    assert len(files) == len(set(files.values())) == 100


@pytest.mark.parametrize(
    ("status", "reply", "fault"),
    [
        (200, {"files": [{"outcome": "failed", "reason": "It is empty; save it again."}]}, ""),
        (413, {"error": {"message": "The request is too large."}}, ""),
        (200, {"files": []}, "taken in"),
        (200, {"files": [{"outcome": "failed", "reason": "a."}, {"outcome": "added"}]}, "taken in"),
        (200, {"files": [{"outcome": "failed"}]}, "no sentence"),
        (200, {"files": [{"outcome": "failed", "reason": "KeyError('x')"}]}, "no sentence"),
        (200, {"files": [{"outcome": "failed", "reason": "It lies in /home/a/b and cannot be read."}]}, "this machine"),
        (200, {"files": [{"outcome": "failed", "reason": "Traceback (most recent call last)."}]}, "this machine"),
        (500, {}, "500"),
    ],
)
def test_only_a_clear_error_is_one(status: int, reply: dict[str, Any], fault: str) -> None:
    found = bad_files.fault_of(status, reply)
    assert fault in found
    assert bool(fault) == bool(found)


# names and paths


def test_names_and_addresses_are_different(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    assert len(set(names(secret, paths.UPLOADED))) == paths.UPLOADED
    assert len(set(addresses(secret, paths.ADDRESSED))) == paths.ADDRESSED
    total = paths.UPLOADED + paths.PACKED + paths.ADDRESSED + paths.CHOSEN + paths.FOLDED
    assert total == 500


def test_what_a_process_opens_is_on_record(tmp_path: Path) -> None:
    """A program named app that reads a file beside, through a link, and writes and removes another."""
    (tmp_path / "outside.txt").write_text("secret", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "outside.txt")
    (tmp_path / "app.py").write_text(
        "import os, shutil, sys\nfrom pathlib import Path\nfolder = Path(sys.argv[1])\n(folder / 'link').read_text()\n"
        "(folder / 'made').mkdir()\n(folder / 'made/a.txt').write_text('x')\nshutil.rmtree(folder / 'made')\n",
        encoding="utf-8",
    )
    log = tmp_path / "log"
    subprocess.run(
        [sys.executable, "-m", "evaluation.scoreboard.watched", log, sys.executable, "-m", "app", tmp_path],
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
    )
    said = log.read_text(encoding="utf-8")
    assert f'["open", "{tmp_path.resolve()}/outside.txt", false]' in said
    assert f'["open", "{tmp_path.resolve()}/made/a.txt", true]' in said
    assert f'["os.remove", "{tmp_path.resolve()}/made/a.txt", true]' in said


def test_a_stray_is_what_lies_outside_and_is_no_code(tmp_path: Path) -> None:
    opened = [
        ("open", tmp_path / "kb" / "catalog.sqlite3", True),
        ("open", ROOT / "channels" / "page.py", False),
        ("open", ROOT / "README.md", False),
        ("open", ROOT / "made.py", True),
        ("open", Path("/etc/passwd"), False),
        ("os.remove", tmp_path / "secret.txt", True),
    ]
    strays = paths._strays(opened, (tmp_path / "kb",))
    assert [each.rpartition("/")[2] for each in strays] == ["README.md", "made.py", "passwd", "secret.txt"]


# limits


def test_connections_that_are_left_open_are_noticed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with Crowd(listener.getsockname()[1], silent=2, slow=1) as crowd:
            crowd.wait(0.1)
        assert len(crowd.faults()) == 4
        assert crowd.faults(early=True) == []
        assert "0 of 2 silent closed" in crowd.summary()


@contextmanager
def replying(status: int) -> Iterator[str]:
    """A server that takes everything and says the same to it."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("status", "fault"),
    [(204, "answered with 204"), (401, "passwords were looked at"), (429, "does not say how long to wait")],
)
def test_a_server_that_lets_passwords_be_tried_is_noticed(status: int, fault: str) -> None:
    with replying(status) as address:
        statuses, wrong = limits._logins(address, 30)
    assert statuses == {status: 31}
    assert any(fault in each for each in wrong)


def test_a_server_that_takes_long_questions_is_noticed() -> None:
    with replying(200) as address:
        wrong = list(limits._long_questions(address))
    assert len(wrong) == 6


# markup


def test_there_are_two_hundred_different_payloads() -> None:
    assert len(set(payloads())) == 200


@pytest.mark.browser
def test_what_runs_in_a_page_and_what_asks_outside_is_seen() -> None:
    if not Path(CHROMIUM).exists() and os.environ.get("CI") != "true":
        pytest.skip("there is no browser")
    from playwright.sync_api import sync_playwright

    seen = markup.Seen()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, markup.NO_NAMES])
        hostile = "<img src=x onerror=top.hacked=7><img src=//outside.invalid/8>"
        with markup.raw([hostile]) as address, seen.page(browser) as page:
            page.goto(f"{address}0", wait_until="load")
            seen.look(page, "a page")
            page.evaluate("alert(1)")
        browser.close()
    assert seen.ran == ["payload 7 ran in a page", "a dialog was opened"]
    assert seen.asked == ["outside.invalid was asked for /8"]
