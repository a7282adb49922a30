"""Zhice's own interface for programs: answers, streams that end with their clients, documents, and malformed requests."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from assistant.assembly import Assistant
from assistant.model import ModelSettings
from channels import guard
from tests.assistant.scripted_model import Prompt, ScriptedModel
from tests.channels.conftest import whole_app
from tests.conftest import PARK, Put
from vectorstore.errors import StoreUnavailable
from vectorstore.keys import Keys
from vectorstore.store import PolicyStore

# Gradio counts its queue with options that pandas is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

HERE = "http://127.0.0.1"
QUESTION = "园区管理机构每年最高能拿到多少奖补？"
WRITTEN = "园区运营机构每年最高能拿到多少奖励？"
FIRST = "考核优秀的园区运营机构每年最高可以得到3000万元奖励"
SECOND = "市工业和信息化局每年对产业园区运营机构进行考核"
FALSE = "考核优秀的园区运营机构每年最高可以得到9000万元奖励"


def handle_of(prompt: Prompt, words: str) -> str:
    return next(handle for handle, sentence in prompt.evidence.items() if words in sentence)


def two_sentences(prompt: Prompt) -> str:
    first, second = handle_of(prompt, "3000万元"), handle_of(prompt, "进行考核")
    return f"{FIRST}。[{first}]\n{FALSE}。[{first}]\n{SECOND}。[{second}]\n"


@pytest.fixture(scope="module")
def client(shelf: Any) -> Iterator[TestClient]:
    with TestClient(whole_app(shelf.assistant), base_url=HERE, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def asking(client: TestClient, new_key: Callable[..., str]) -> Iterator[TestClient]:
    """The client with a key and so an allowance of its own."""
    client.headers["authorization"] = f"Bearer {new_key('admin')}"
    yield client
    del client.headers["authorization"]


@pytest.fixture
def writing(store: PolicyStore, put: Put, model: ScriptedModel) -> Iterator[Assistant]:
    """An assistant whose answers a language model writes."""
    put("park.txt", PARK)
    model.reply = two_sentences
    opened = Assistant(store, model=ModelSettings("openai:scripted", base_url=model.url, api_key="sk", first_token=30))
    yield opened
    opened.close()


@pytest.fixture
def address(writing: Assistant, serving: Callable[[Any], str]) -> str:
    return serving(whole_app(writing))


def events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def eventually(true: Callable[[], bool], *, seconds: float = 5) -> bool:
    give_up = time.monotonic() + seconds
    while not true() and time.monotonic() < give_up:
        time.sleep(0.05)
    return true()


# asking


def test_an_answer_is_the_assistants_own(asking: TestClient, shelf: Any) -> None:
    told = asking.post("/api/ask", json={"question": QUESTION}).json()
    own = shelf.assistant.ask(QUESTION).to_dict()
    assert set(told) == set(own)
    for name in set(told) - {"id", "elapsed_ms"}:
        assert told[name] == own[name], name
    shelf.assistant.feedback(told["id"], rating=1)


def test_a_refusal_is_an_answer(asking: TestClient) -> None:
    response = asking.post("/api/ask", json={"question": "珠穆朗玛峰有多高？"})
    assert response.status_code == 200
    assert response.json()["status"] == "not_found"


def test_history_day_and_filters_reach_the_assistant(asking: TestClient, shelf: Any) -> None:
    followed = asking.post(
        "/api/ask", json={"question": "那考核指标有哪些？", "history": ["园区管理机构有什么奖补？"]}
    ).json()
    assert "主营业务收入" in followed["text"]
    early = asking.post("/api/ask", json={"question": QUESTION, "as_of": "2020-01-31"}).json()
    assert early["as_of"] == "2020-01-31"
    assert "not_yet_effective" in [warning["code"] for warning in early["warnings"]]
    other = asking.post("/api/ask", json={"question": QUESTION, "filters": {"document_id": shelf.fairs}}).json()
    assert all(citation["document_id"] == shelf.fairs for citation in other["citations"])


def test_what_may_be_left_out_may_be_null(asking: TestClient) -> None:
    body = {"question": QUESTION, "history": None, "as_of": None, "filters": None, "stream": None, "unknown": [1]}
    assert asking.post("/api/ask", json=body).json()["status"] == "answered"


def test_a_stream_without_a_model_ends_with_the_answer(asking: TestClient, shelf: Any) -> None:
    response = asking.post("/api/ask", json={"question": QUESTION, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    *claims, (last, answer) = events(iter(response.text.splitlines()))
    assert {name for name, _ in claims} == {"claim"}
    assert last == "done"
    assert answer["text"] == shelf.assistant.ask(QUESTION).text
    for (_, told), claim in zip(claims, answer["claims"], strict=True):
        assert told["claim"] == claim
        assert [citation["number"] for citation in told["citations"]] == claim["citations"]


def test_a_stream_gives_evidence_then_each_verified_claim_as_it_comes(address: str, model: ScriptedModel) -> None:
    model.pause = 0.05
    body = {"question": WRITTEN, "stream": True}
    with httpx.Client(timeout=20) as client, client.stream("POST", f"{address}/api/ask", json=body) as response:
        arrived = [(time.monotonic(), *event) for event in events(response.iter_lines())]
    assert [name for _, name, _ in arrived] == ["evidence", "claim", "claim", "done"]
    assert any("3000万元" in citation["quote"] for citation in arrived[0][2]["citations"])
    assert [said["claim"]["text"] for _, name, said in arrived if name == "claim"] == [FIRST, SECOND]
    assert arrived[1][0] < model.said_at(SECOND)
    assert FALSE not in json.dumps([said for *_, said in arrived], ensure_ascii=False)
    assert arrived[-1][2]["status"] == "partial"


# clients that leave


def kept(assistant: Assistant) -> int:
    return int(assistant.store.catalog.connection().execute("SELECT count(*) FROM answers").fetchone()[0])


def test_a_stream_that_is_left_in_the_middle_leaves_nothing_running(
    address: str, writing: Assistant, model: ScriptedModel
) -> None:
    model.pause = 0.5
    body = {"question": WRITTEN, "stream": True}
    with httpx.Client(timeout=20) as client, client.stream("POST", f"{address}/api/ask", json=body) as response:
        arriving = events(response.iter_lines())
        assert next(arriving)[0] == "evidence"
        assert eventually(lambda: len(model.spoken) > 1)
        assert model.open_streams == 1
    assert eventually(lambda: model.open_streams == 0, seconds=3)
    spoken = len(model.spoken)
    time.sleep(1)
    assert len(model.spoken) == spoken
    assert kept(writing) == 0


@pytest.mark.parametrize("path", ["/api/ask", "/v1/chat/completions"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_question_that_is_left_before_the_first_word_leaves_nothing_running(
    address: str, writing: Assistant, model: ScriptedModel, path: str, stream: bool
) -> None:
    model.delay = 20
    body = {"question": WRITTEN, "messages": [{"role": "user", "content": WRITTEN}], "stream": stream}
    with httpx.Client(timeout=httpx.Timeout(20, read=1.5)) as client, pytest.raises(httpx.ReadTimeout):
        client.post(address + path, json=body)
    assert len(model.prompts) == 1
    assert eventually(lambda: model.open_streams == 0, seconds=3)
    assert kept(writing) == 0


def test_the_others_are_answered_while_a_model_is_slow(address: str, model: ScriptedModel) -> None:
    model.delay = 20
    with httpx.Client(timeout=20) as client:
        body = {"question": WRITTEN, "stream": True}
        with client.stream("POST", f"{address}/api/ask", json=body) as response:
            arriving = response.iter_lines()
            next(arriving)
            started = time.monotonic()
            assert client.get(f"{address}/api/documents").status_code == 200
            assert time.monotonic() - started < 2


@pytest.mark.parametrize("path", ["/api/ask", "/v1/chat/completions"])
def test_a_server_that_ends_leaves_no_question_running(writing: Assistant, model: ScriptedModel, path: str) -> None:
    model.delay = 20
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(whole_app(writing), log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    serving.start()
    assert eventually(lambda: server.started, seconds=20)
    before = {thread for thread in threading.enumerate() if thread.name.startswith("asking")}
    body = {"question": WRITTEN, "messages": [{"role": "user", "content": WRITTEN}], "stream": True}
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with httpx.Client(timeout=20) as client, client.stream("POST", address + path, json=body) as response:
        assert eventually(lambda: model.open_streams == 1)
        assert response.status_code == 200
        server.should_exit = True
        serving.join(10)
    assert not serving.is_alive()
    assert {thread for thread in threading.enumerate() if thread.name.startswith("asking")} <= before
    assert eventually(lambda: model.open_streams == 0, seconds=1)


# documents


def test_documents_are_listed(asking: TestClient, shelf: Any) -> None:
    rows = asking.get("/api/documents").json()["documents"]
    assert rows == shelf.assistant.documents()
    assert {row["source"] for row in rows} >= {"rewards.txt", "fairs.txt"}


def test_each_file_has_an_outcome_or_a_reason(asking: TestClient) -> None:
    text = "关于公共自行车的规定\n\n第一条 对公共自行车站点，每个给予最高7万元补贴。\n"
    files = [
        ("file", ("自行车.txt", text.encode())),
        ("file", ("empty.txt", b"")),
        ("file", ("..\\..\\picture.png", b"\x89PNG\r\n\x1a\n" + bytes(100))),
        ("file", ("big.txt", b"x" * (guard.LARGEST_FILE + 1))),
    ]
    response = asking.post("/api/documents", files=files)
    assert response.status_code == 200
    added, *failed = response.json()["files"]
    assert (added["file"], added["outcome"]) == ("自行车.txt", "added")
    assert [(each["file"], each["outcome"]) for each in failed] == [
        ("empty.txt", "failed"), ("picture.png", "failed"), ("big.txt", "failed"),
    ]  # fmt: skip
    assert all(each["reason"] for each in failed)
    assert added["document_id"] in [row["document_id"] for row in asking.get("/api/documents").json()["documents"]]
    assert "7万元" in asking.post("/api/ask", json={"question": "公共自行车站点每个最高补贴多少？"}).json()["text"]
    again = asking.post("/api/documents", files=files[:1]).json()["files"]
    assert again[0]["outcome"] == "unchanged"


# malformed requests

BODIES: list[Any] = [
    b"", b"{", b"[]", b"null", b"1", b'"question"', b"\xff\xfe", b"[" * 100_000, b"1" * 5000, b"{}", b'{"question": NaN}',
    b'{"question": "\\ud800", "messages": [{"role": "user", "content": "\\ud800"}]}',
    b'{"question": 5, "messages": 5}', b'{"question": null, "messages": null}', b'{"question": [], "messages": []}',
    b'{"question": "", "messages": [{"role": "user", "content": ""}]}',
    b'{"question": " \\n", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]}',
    b'{"question": {"a": 1}, "messages": [{"role": "system", "content": "no question"}]}',
    b'{"question": "q", "stream": "perhaps", "messages": [{"role": "user", "content": "q"}]}',
    b'{"question": "q", "history": "q", "messages": ["q"]}', b'{"question": "q", "history": [5], "messages": [{}]}',
    b'{"question": "q", "history": [["q"]], "messages": [{"role": "user", "content": 5}]}',
    b'{"question": "q", "as_of": 5, "messages": [{"role": "user", "content": {"text": "q"}}]}',
    b'{"question": "q", "as_of": "soon", "messages": [{"role": 5, "content": "q"}]}',
    b'{"question": "q", "filters": [], "messages": [{"content": "q"}]}',
    b'{"question": "q", "filters": {"\\ud800": "x"}, "messages": {"role": "user"}}',
    b'{"question": "q", "filters": {"region": 5}, "messages": [[]]}',
    b'{"question": "q", "filters": {"nothing": "x"}, "messages": [null]}',
    json.dumps({"question": "问" * 2001, "messages": [{"role": "user", "content": "问" * 2001}]}).encode(),
    json.dumps({"question": "q", "history": ["问" * 2001], "messages": "问" * 2001}).encode(),
    json.dumps({"question": "q", "history": ["q"] * 101, "messages": 5}).encode(),
]  # fmt: skip


def refused(response: Any) -> bool:
    """Whether it is a refusal as JSON that tells nothing but the request's own faults."""
    error = response.json()["error"]
    assert error["message"]
    assert "Traceback" not in response.text
    assert "/work" not in response.text
    return 400 <= int(response.status_code) < 500 and int(response.status_code) != 404


@pytest.mark.parametrize("path", ["/api/ask", "/v1/chat/completions", "/mcp"])
@pytest.mark.parametrize("body", BODIES)
def test_a_malformed_body_is_refused_as_json(asking: TestClient, path: str, body: bytes) -> None:
    headers = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    assert refused(asking.post(path, content=body, headers=headers))


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
@pytest.mark.parametrize("path", ["/api/ask", "/v1/chat/completions"])
def test_a_body_of_another_kind_is_refused_as_json(asking: TestClient, path: str, kind: str) -> None:
    body = json.dumps({"question": QUESTION, "messages": [{"role": "user", "content": QUESTION}]})
    assert refused(asking.post(path, content=body, headers={"content-type": kind}))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"), ("multipart/form-data", b"x"), ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense"), ("multipart/form-data; boundary=x", b"\x00" * 100),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--x--\r\n'),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n\r\n--x--\r\n'),
        ("text/plain", b"x"),
    ],
)  # fmt: skip
def test_a_malformed_upload_is_refused_as_json(asking: TestClient, kind: str, body: bytes) -> None:
    assert refused(asking.post("/api/documents", content=body, headers={"content-type": kind}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=st.sampled_from(["question", "history", "as_of", "filters", "stream", "messages"]), value=JSON)
@example(field="as_of", value="0000-00-00")
@example(field="history", value=["\x00"])
def test_no_value_of_a_field_makes_the_server_fail(
    client: TestClient, new_key: Callable[..., str], field: str, value: Any
) -> None:
    body = json.dumps({"question": "珠穆朗玛峰有多高？", "messages": [{"role": "user", "content": "q"}], field: value})
    headers = {"content-type": "application/json", "authorization": f"Bearer {new_key()}"}
    for path in ("/api/ask", "/v1/chat/completions"):
        response = client.post(path, content=body.encode(), headers=headers)
        assert response.status_code == 200 or refused(response)


def test_a_failure_is_told_without_details(
    asking: TestClient, shelf: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(shelf.assistant.store, "search", fail)
    body = {"question": QUESTION, "messages": [{"role": "user", "content": QUESTION}]}
    with caplog.at_level(logging.ERROR):
        for path in ("/api/ask", "/v1/chat/completions"):
            for stream in (False, True):
                response = asking.post(path, json={**body, "stream": stream})
                assert response.status_code == 500
                assert response.json()["error"]["code"] == "internal_error"
                assert "secret" not in response.text
    assert "a secret detail" in caplog.text


@pytest.mark.parametrize("path", ["/api/ask", "/v1/chat/completions"])
def test_while_the_database_is_away_programs_are_told_to_come_again(
    asking: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("a secret address does not answer")

    monkeypatch.setattr(Keys, "scopes_of", away)
    response = asking.post(path, json={"question": QUESTION, "messages": [{"role": "user", "content": QUESTION}]})
    assert (response.status_code, response.json()["error"]["code"]) == (503, "unavailable")
    assert int(response.headers["retry-after"]) > 0
    assert "secret" not in response.text


@pytest.mark.parametrize("path", ["/api/ask", "/v1/chat/completions"])
def test_a_failure_in_the_middle_of_a_stream_is_told_in_it(
    asking: TestClient, shelf: Any, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(shelf.assistant.store.catalog, "keep_answer", fail)
    body = {"question": QUESTION, "messages": [{"role": "user", "content": QUESTION}], "stream": True}
    response = asking.post(path, json=body)
    told = [
        json.loads(line.removeprefix("data: ")) for line in response.text.splitlines() if line.startswith("data: {")
    ]
    assert "800万元" in response.text
    assert told[-1]["error"]["code"] == "internal_error"
    assert "secret" not in response.text
    assert "event: done" not in response.text
