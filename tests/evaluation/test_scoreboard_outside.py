"""The scoreboard's lines about what is outside: no network at all, and the known vulnerabilities of what is pinned."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from evaluation.scoreboard import dependencies, offline
from evaluation.scoreboard.dependencies import Excepted, Judged, judged

TODAY = date(2030, 6, 1)
KNOWN = [Excepted("CVE-1", "chromadb", date(2030, 1, 1), date(2030, 12, 31), "The server is never started.")]


def report(*vulnerabilities: tuple[str, str], skipped: tuple[str, ...] = ()) -> dict[str, Any]:
    """What pip-audit says of chromadb and gradio, with vulnerabilities of each by their ids."""
    packages: list[dict[str, Any]] = [
        {
            "name": name,
            "version": "1.0",
            "vulns": [
                {"id": f"PYSEC-{number}", "aliases": [number]} for owner, number in vulnerabilities if owner == name
            ],
        }
        for name in ("chromadb", "gradio")
    ]
    return {"dependencies": [*packages, *({"name": name, "skip_reason": "not found"} for name in skipped)]}


# no network


def test_the_quick_form_without_a_network_passes(tmp_path: Path) -> None:
    line = offline.run(tmp_path, quick=True)
    if os.environ.get("CI") == "true":
        assert "browser" not in line.skipped_because
    assert line.passed or line.skipped_because, line.figure


@pytest.mark.parametrize(
    ("tried", "noted"),
    [
        ("socket.create_connection(('192.0.2.1', 9), timeout=0.05)", "192.0.2.1"),
        ("socket.getaddrinfo('example.invalid', 443)", "example.invalid"),
        ("socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.7', 53))", "192.0.2.7"),
        ("socket.create_connection(('127.0.0.1', 9), timeout=0.05)", ""),
    ],
)
def test_the_hook_notes_what_is_tried_outside(tmp_path: Path, tried: str, noted: str) -> None:
    file = tmp_path / "tried.txt"
    hook = offline._HOOK.format(file=str(file), here=offline._HERE)
    script = f"{hook}\nimport socket\ntry:\n    {tried}\nexcept OSError:\n    pass\n"
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)
    assert (noted in file.read_text("utf-8")) if noted else not file.exists()


def test_what_was_tried_outside_fails_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {"tried_by_server": ["socket.connect 192.0.2.9"], "unrouted": {"server": 1, "both": 1}, "answers": 1}
    monkeypatch.setattr(offline, "_missing", lambda: ("", ["echo", json.dumps(seen), "#"]))
    monkeypatch.setattr(
        offline.subprocess,
        "run",
        lambda words, **_: subprocess.CompletedProcess(words, 0, stdout=f"{json.dumps(seen)}\n", stderr=""),
    )
    line = offline.run(tmp_path, quick=True)
    assert not line.passed
    assert "2 outside requests" in line.figure
    assert "192.0.2.9" in line.figure


def test_a_machine_without_a_browser_skips_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline, "CHROMIUM", str(tmp_path / "none"))
    line = offline.run(tmp_path, quick=True)
    assert not line.passed
    assert "browser" in line.skipped_because


# vulnerabilities


def test_the_quick_form_of_the_audit_passes_or_skips(tmp_path: Path) -> None:
    line = dependencies.run(tmp_path, quick=True)
    assert line.passed or line.skipped_because, line.figure


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (report(), Judged(2, (), (), (), ())),
        (report(("chromadb", "CVE-1")), Judged(2, (), ("chromadb 1.0: PYSEC-CVE-1",), (), ())),
        (report(("chromadb", "CVE-2")), Judged(2, (), (), ("chromadb 1.0: PYSEC-CVE-2",), ())),
        (report(("gradio", "CVE-1")), Judged(2, (), (), ("gradio 1.0: PYSEC-CVE-1",), ())),
        (report(skipped=("torch",)), Judged(2, ("torch",), (), (), ())),
    ],
)
def test_exceptions_explain_their_own_package_and_vulnerability(said: dict[str, Any], found: Judged) -> None:
    assert judged(said, KNOWN, TODAY) == found
    assert found.good == (not (found.unexplained or found.skipped))


@pytest.mark.parametrize("day", [date(2029, 12, 31), date(2031, 1, 1)])
def test_exceptions_count_between_their_dates_only(day: date) -> None:
    found = judged(report(("chromadb", "CVE-1")), KNOWN, day)
    assert found.unexplained
    assert bool(found.expired) == (day > KNOWN[0].until)
    assert not found.good


def test_the_exceptions_on_file_have_their_dates_and_reasons() -> None:
    known = dependencies.exceptions()
    assert {each.id for each in known} >= {"CVE-2026-45829", "CVE-2026-45833"}
    pinned = {line.partition("==")[0] for line in dependencies.LOCK.read_text("utf-8").splitlines()}
    for each in known:
        assert each.package in pinned
        assert each.date < each.until
        assert len(each.reason) > 50


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("sleep 30", "did not answer"),
        ("echo no JSON", "gave no report"),
        ("""echo '{"dependencies": [{"name": "chromadb", "skip_reason": "not found"}]}'""", "cannot be reached"),
    ],
)
def test_what_cannot_be_looked_up_skips_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\nexec {script}\n" if script.startswith("sleep") else f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(dependencies, "QUICK_PATIENCE", 1)
    line = dependencies.run(tmp_path, quick=True, program=program)
    assert not line.passed
    assert reason in line.skipped_because


def test_a_vulnerability_that_is_not_explained_fails_the_line(tmp_path: Path) -> None:
    program = tmp_path / "pip-audit"
    program.write_text(f"#!/bin/sh\necho '{json.dumps(report(('gradio', 'CVE-9')))}'\n")
    program.chmod(0o755)
    line = dependencies.run(tmp_path, quick=True, program=program)
    assert not line.passed
    assert not line.skipped_because
    assert "1 unexplained" in line.figure
    assert "PYSEC-CVE-9" in line.figure


def test_a_bill_of_materials_lists_every_package(tmp_path: Path) -> None:
    lock, sbom = tmp_path / "requirements.lock", tmp_path / "sbom.json"
    lock.write_text("a==1\nb-c==2 ; sys_platform != 'win32'\n")
    components = [{"name": "a"}, {"name": "b-c"}]
    sbom.write_text(json.dumps({"bomFormat": "CycloneDX", "components": components}))
    assert dependencies.components(sbom, lock) == ""
    sbom.write_text(json.dumps({"bomFormat": "CycloneDX", "components": components[:1]}))
    assert "1 components" in dependencies.components(sbom, lock)
