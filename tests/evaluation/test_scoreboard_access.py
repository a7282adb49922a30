"""The scoreboard's lines about who may call what, and what a server must not say; and that they see what is left open."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import Assistant
from channels import guard
from channels.admin import Gate
from evaluation.scoreboard import access, secrecy, surface
from evaluation.scoreboard.access import Count, matrix
from evaluation.scoreboard.policies import write_policies
from evaluation.scoreboard.secrecy import Unsaid
from evaluation.scoreboard.surface import ACCOUNTS, Route
from ingest.pipeline import ingest_into
from tests.channels.conftest import serving, whole_app  # noqa: F401 - a fixture
from vectorstore.keys import Keys
from vectorstore.store import PolicyStore

# Gradio counts its queue with options that pandas is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

SOME = [
    Route("GET", "/metrics"),
    Route("GET", "/gradio_api/user"),
    Route("GET", "/d/{document_id}"),
    Route("GET", "/s/{code}"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PolicyStore]:
    folder = tmp_path_factory.mktemp("policies")
    write_policies(folder, [1, 2])
    opened = PolicyStore(tmp_path_factory.mktemp("kb"))
    ingest_into(opened, [folder])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def address(store: PolicyStore, serving: Callable[[Any], str]) -> str:  # noqa: F811 - the fixture
    app = whole_app(
        Assistant(store), admin_password=access.PASSWORD, public_url=ACCOUNTS["ZHICE_PUBLIC_URL"], keyed=True
    )
    return serving(app)


@pytest.mark.parametrize("line", [access, secrecy])
def test_the_quick_form_passes(line: Any, tmp_path: Path) -> None:
    measured = line.run(tmp_path, quick=True)
    assert measured.passed, measured.figure


# access


def wrong(address: str, store: PolicyStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the matrix finds of some routes and of the events."""
    count = Count()
    monkeypatch.setattr(surface, "described", lambda _: [])
    matrix(address, store, "keyed", SOME, count, quick=True)
    return count.wrong


def test_routes_that_are_left_open_are_found(address: str, store: PolicyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_OPEN", re.compile(".*"))
    monkeypatch.setattr(Keys, "scopes_of", lambda *_: frozenset({"ask", "admin"}))
    monkeypatch.setattr(surface, "events", lambda _: [])
    found = wrong(address, store, monkeypatch)
    assert "a revoked key was let in to GET /metrics (200, asking keyed)" in found
    assert any("GET /gradio_api/user " in each for each in found)
    assert not any("/d/" in each or "/s/" in each for each in found)


def test_a_gate_that_admits_everybody_is_found(
    address: str, store: PolicyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Gate, "admits", lambda *_: True)
    found = wrong(address, store, monkeypatch)
    assert "nobody was let in to GET /d/{document_id} (200, asking keyed)" in found
    for event in ("show_documents", "show_correction", "ask_typed"):
        assert f"{event} named documents to nobody (asking keyed)" in found
    assert "remove changed documents for nobody (asking keyed)" in found


def test_what_the_table_does_not_know_is_found(
    address: str, store: PolicyStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surface, "events", lambda _: [surface.Event("new_event", 0, 1)])
    monkeypatch.setitem(globals(), "SOME", [Route("GET", "/new"), Route("PUT", "/metrics"), Route(None, "/other")])
    found = wrong(address, store, monkeypatch)
    for each in ("GET /new", "PUT /metrics", "None /other"):
        assert f"the table does not know {each}" in found
    assert "the events of the page and the table differ in new_event" in found


def test_grants_are_for_callers_that_there_are() -> None:
    assert set(access.table().values()) <= set(access.GRANTED)
    assert all(who <= set(access.CALLERS) for who in access.GRANTED.values())
    assert set(access.FEW) <= set(access.CALLERS)


# secrecy


@pytest.fixture
def unsaid(tmp_path: Path) -> Unsaid:
    return secrecy.what_is_unsaid(tmp_path / secrecy.FOLDER, ["zk_the-key", "the-token"])


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (f"password: {secrecy.PASSWORD}", "the password"),
        ("Bearer zk_the-key", "a key or token (0)"),
        (f"at /x/{secrecy.FOLDER}/index", "the data folder"),
        ('No such file: "/home/somebody/kb"', "a path"),
        ('{"detail":"/tmp/zhice/x"}', "a path"),
        ("Traceback (most recent call last):", "a traceback"),
        ('File "/app/x.py", line 7, in ask', "a traceback"),
        (ACCOUNTS["ZHICE_WECOM_SECRET"], "ZHICE_WECOM_SECRET"),
        ("$argon2id$v=19$", "a prepared hash"),
    ],
)
def test_what_a_response_must_not_say_is_found(unsaid: Unsaid, said: str, name: str) -> None:
    assert any(found.startswith(name) for found in unsaid.in_response(said, "application/json"))


@pytest.mark.parametrize(
    "said", ["a sum of 3/4 and/or more", "see https://zhice.example.com/s/x", "/d/d1234?version=1"]
)
def test_addresses_of_the_server_are_no_paths(unsaid: Unsaid, said: str) -> None:
    assert list(unsaid.in_response(said, "text/html")) == []


def test_what_a_log_must_not_say_is_found(unsaid: Unsaid) -> None:
    prompt = secrecy.prompt_words()[0]
    said = f"{secrecy.WORD} {secrecy.MARK} {prompt} {secrecy.MODEL_KEY} /home/somebody/kb Traceback (most recent call last)"
    assert {"the question", "a document's words", "the model's key"} < set(unsaid.in_log(said))
    assert any(found.startswith("the prompt ") for found in unsaid.in_log(said))
    assert list(unsaid.in_log("/home/somebody/kb Traceback (most recent call last)")) == []


def test_the_prompts_are_known_by_enough_words() -> None:
    words = secrecy.prompt_words()
    assert len(words) > 20
    assert all(len(piece) >= secrecy.SHORTEST for piece in words)
