"""The server without a browser: headers, limits, who may call what, and what failures look like."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from channels import guard, page
from channels.page import QUESTIONS_A_MINUTE
from channels.server import serve
from vectorstore.errors import StoreUnavailable

# Gradio counts its queue with options that pandas is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

HERE = "http://127.0.0.1"
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def app(shelf: Any) -> Any:
    return shelf.app()


@pytest.fixture(scope="module")
def client(app: Any) -> Iterator[TestClient]:
    with TestClient(app, base_url=HERE, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def locked_app(shelf: Any) -> Any:
    return shelf.app(PASSWORD)


@pytest.fixture(scope="module")
def locked_server(locked_app: Any) -> Iterator[TestClient]:
    with TestClient(locked_app, base_url=HERE, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def locked(locked_server: TestClient) -> Iterator[TestClient]:
    yield locked_server
    locked_server.cookies.clear()


def config(client: TestClient) -> dict[str, Any]:
    return dict(client.get("/config").json())


def call(client: TestClient, event: str, data: list[Any], event_data: Any = None, session: str = "s") -> str:
    """Call an event of the page directly, as anyone can who reads the page's configuration; the server's messages."""
    dependency = next(
        found for found in config(client)["dependencies"] if [target[1] for target in found["targets"]] == [event]
    )
    body = {"fn_index": dependency["id"], "data": data, "event_data": event_data, "session_hash": f"{session}-{event}"}
    assert client.post("/gradio_api/queue/join", json=body).status_code == 200
    with client.stream("GET", f"/gradio_api/queue/data?session_hash={session}-{event}") as response:
        return "".join(response.iter_text())


# headers


@pytest.mark.parametrize("path", ["/", "/d/nothing", "/zhice/page.js", "/config", "/no/such/page"])
def test_every_response_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_the_viewer_allows_no_script_at_all(client: TestClient, shelf: Any) -> None:
    response = client.get(f"/d/{shelf.rewards}")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "<script" not in response.text
    assert "style=" not in response.text


def test_the_page_runs_only_scripts_that_carry_this_responses_nonce(client: TestClient) -> None:
    first, second = client.get("/"), client.get("/")
    policy = first.headers["content-security-policy"]
    scripts = policy.split("script-src")[1].split(";")[0]
    assert "unsafe-inline" not in scripts
    assert "*" not in policy
    assert "http" not in policy
    nonces = {
        re.search(r"'nonce-([^']+)'", response.headers["content-security-policy"])[1] for response in (first, second)
    }  # type: ignore[index]
    assert len(nonces) == 2
    opened = re.findall(r"<script\b[^>]*>", first.text)
    assert opened
    assert all(f'nonce="{scripts.split("nonce-")[1].split(chr(39))[0]}"' in tag for tag in opened)


def test_the_page_names_nothing_outside(client: TestClient) -> None:
    page = client.get("/").text
    addresses = set(re.findall(r"""(?:src|href|content)=["'](https?://[^"']+)""", page))
    assert addresses == set()


def test_the_page_says_nothing_of_gradio_in_its_title(client: TestClient) -> None:
    page = client.get("/", headers={"accept-language": "zh-CN"}).text
    assert "<title>知策 Zhice · 政策问答</title>" in page
    assert '<html\n\tlang="zh-CN"' in page
    english = client.get("/", headers={"accept-language": "en-GB,en;q=0.9"}).text
    assert "<title>Zhice 知策 · Policy answers</title>" in english
    assert '<html\n\tlang="en"' in english


# limits


def test_a_body_over_the_limit_is_refused(client: TestClient) -> None:
    for body in (b"x" * (guard.LARGEST_BODY + 1), iter([b"x" * guard.LARGEST_BODY, b"x"])):
        response = client.post("/gradio_api/queue/join", content=body)
        assert response.status_code == 413
        assert "Traceback" not in response.text


def test_an_upload_over_the_limit_is_refused_before_it_is_read(client: TestClient) -> None:
    response = client.post("/gradio_api/upload", headers={"content-length": str(guard.LARGEST_UPLOAD + 1)}, content=b"")
    assert response.status_code == 413
    assert client.post("/gradio_api/upload", content=iter([b"x"])).status_code == 411


def test_one_file_over_the_limit_is_refused(client: TestClient) -> None:
    files = {"files": ("big.txt", b"x" * (guard.LARGEST_FILE + 1))}
    assert client.post("/gradio_api/upload", files=files).status_code == 413


def test_the_page_is_configured_within_limits(client: TestClient) -> None:
    configured = config(client)
    assert configured["max_file_size"] == guard.LARGEST_FILE
    assert not configured["analytics_enabled"]
    assert not configured["show_error"]
    assert all(found["api_visibility"] != "public" for found in configured["dependencies"])


def test_a_session_that_asks_too_fast_is_told_to_wait(client: TestClient) -> None:
    asked = [
        call(client, "example_select", [None] * 4, {"question": f"第{number}个问题？"}, "fast")
        for number in range(QUESTIONS_A_MINUTE + 1)
    ]
    assert not any("提问太快" in said for said in asked[:-1])
    assert "提问太快" in asked[-1]
    assert "提问太快" not in call(client, "example_select", [None] * 4, {"question": "另一个人的问题？"}, "other")


def test_another_session_name_does_not_lift_the_limit_of_an_address(
    shelf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "QUESTIONS_OF_AN_ADDRESS", 3)
    with TestClient(shelf.app(), base_url=HERE) as opened:
        asked = [
            call(opened, "example_select", [None] * 4, {"question": f"第{number}个问题？"}, f"name-{number}")
            for number in range(4)
        ]
    assert ["提问太快" in said for said in asked] == [False, False, False, True]


# who may call


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd", "/gradio_api/file/etc/passwd", "/gradio_api/proxy=http://example.org",
        "/gradio_api/custom_component/1/client/component/../../x", "/gradio_api/run/predict", "/gradio_api/call/add",
        "/gradio_api/api/add", "/gradio_api/stream/1/2/3/playlist.m3u8", "/gradio_api/deep_link", "/monitoring",
        "/monitoring/summary", "/gradio_api/vibe-code", "/gradio_api/openapi.json", "/docs", "/openapi.json", "/login",
        "/gradio_api/runs", "/static/../page.py", "/zhice/../page.py", "/zhice/page.py", "/d/a/b", "//d/x",
    ],
)  # fmt: skip
def test_what_the_page_does_not_need_is_closed(client: TestClient, path: str) -> None:
    for method in ("GET", "POST"):
        response = client.request(method, path)
        assert response.status_code in (403, 404, 405, 421), (method, path)
        assert "root:" not in response.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", ""])
def test_without_a_password_other_names_for_this_machine_are_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:7860", "127.0.0.1", "[::1]:7860"])
def test_this_machines_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/d/nothing", headers={"host": host}).status_code == 404


def test_with_a_password_any_name_is_answered(locked: TestClient) -> None:
    assert locked.get("/", headers={"host": "zhice.example"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}],
)
def test_other_sites_cannot_send_anything(client: TestClient, headers: dict[str, str]) -> None:
    for path in ("/gradio_api/queue/join", "/gradio_api/upload", "/admin/sign-in"):
        assert client.post(path, headers=headers, json={}).status_code == 403


def test_this_site_can_send(client: TestClient) -> None:
    assert client.post("/admin/sign-out", headers={"origin": HERE}).status_code == 204


# managing documents


def test_without_signing_in_nothing_can_be_uploaded(locked: TestClient) -> None:
    assert locked.post("/gradio_api/upload", files={"files": ("a.txt", b"x")}).status_code == 403


@pytest.mark.parametrize("event", ["retry", "delete", "expand", "submit"])
def test_without_signing_in_events_that_are_called_directly_do_nothing(
    locked: TestClient, shelf: Any, event: str
) -> None:
    before = list(shelf.holdings.calls)
    said = call(locked, event, [None], {"document": shelf.rewards, "fields": {"title": "改过的标题"}})
    assert "process_completed" in said
    assert shelf.holdings.calls == before
    assert shelf.assistant.store.catalog.corrections(shelf.rewards) == {}
    assert "fairs.txt" not in said
    assert "correction-title" not in said


def test_without_signing_in_the_documents_are_not_listed(locked: TestClient) -> None:
    said = call(locked, "apply", [None])
    assert 'type=\\"password\\"' in said
    assert "fairs.txt" not in said


def test_signing_in_opens_the_documents_and_signing_out_closes_them(locked: TestClient, shelf: Any) -> None:
    response = locked.post("/admin/sign-in", data={"password": PASSWORD})
    assert response.status_code == 204
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert PASSWORD not in cookie
    assert "fairs.txt" in call(locked, "apply", [None])
    call(locked, "retry", [None], {"document": shelf.rewards})
    assert shelf.holdings.calls[-1] == ("read_again", shelf.rewards)
    assert locked.post("/gradio_api/upload", files={"files": ("a.txt", b"x")}).status_code == 200
    token = locked.cookies["zhice_admin"]
    assert locked.post("/admin/sign-out").status_code == 204
    locked.cookies.set("zhice_admin", token)
    assert "fairs.txt" not in call(locked, "apply", [None])


def test_the_page_never_contains_the_password(locked: TestClient) -> None:
    assert PASSWORD not in locked.get("/").text
    assert PASSWORD not in locked.get("/config").text


def test_wrong_passwords_have_to_wait(shelf: Any) -> None:
    with TestClient(shelf.app(PASSWORD), base_url=HERE) as client:
        answers = [client.post("/admin/sign-in", data={"password": "guess"}) for _ in range(6)]
        assert [answer.status_code for answer in answers[:3]] == [401] * 3
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert "秒" in answers[-1].json()["message"]
        assert client.post("/admin/sign-in", data={"password": PASSWORD}).status_code == 429


@pytest.mark.parametrize(
    "event_data",
    [None, 5, "x", [], {"document": 7}, {"document": ["a"]}, {"turn": -1}, {"turn": 1e9}, {"document": "x", "fields": 5}],
)  # fmt: skip
@pytest.mark.parametrize("event", ["retry", "delete", "expand", "submit", "edit", "example_select", "like"])
def test_events_take_any_data_without_failing(client: TestClient, event: str, event_data: Any) -> None:
    data = ["", [], "zh", {}] if event in ("edit", "example_select") else [[]] if event == "like" else ["zh"]
    said = call(client, event, data, event_data)
    assert '"success":true' in said.replace(" ", "")
    assert "Traceback" not in said


# failures


def test_unknown_addresses_get_a_plain_page_in_the_readers_language(client: TestClient) -> None:
    chinese = client.get("/nothing/here")
    assert chinese.status_code == 404
    assert "没有这一页" in chinese.text
    english = client.get("/nothing/here", headers={"accept-language": "en"})
    assert "There is no such page" in english.text


def test_an_unexpected_failure_gets_a_plain_page_and_no_details(
    client: TestClient, shelf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(shelf.assistant.store.catalog, "record", fail)
    response = client.get(f"/d/{shelf.rewards}")
    assert response.status_code == 500
    assert "出了点问题" in response.text
    assert "secret" not in response.text
    assert response.headers["x-content-type-options"] == "nosniff"


def test_a_database_that_is_away_is_no_failure_of_the_server(
    client: TestClient, shelf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("a secret address does not answer")

    monkeypatch.setattr(shelf.assistant.store.catalog, "record", away)
    response = client.get(f"/d/{shelf.rewards}")
    assert response.status_code == 503
    assert "暂时无法回答" in response.text
    assert "secret" not in response.text
    assert int(response.headers["retry-after"]) > 0


# running


def test_a_port_in_use_is_said_clearly(app: Any, shelf: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert serve(app, shelf.assistant, host="127.0.0.1", port=port) == 1
    said = capsys.readouterr().err
    assert str(port) in said
    assert "ZHICE_PORT" in said


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly(tmp_path: Path, stop: signal.Signals) -> None:
    script = textwrap.dedent(
        """
        import sys
        from fastapi import FastAPI
        from channels.server import serve

        class Assistant:
            def warm_up(self):
                print("warm", flush=True)

        code = serve(FastAPI(), Assistant(), host="127.0.0.1", port=0)
        print("closed", flush=True)
        sys.exit(code)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    assert process.stdout is not None
    with process:
        first = process.stdout.readline()
        if re.fullmatch(r"Zhice is at http://127\.0\.0\.1:\d+\n", first):
            assert process.stdout.readline() == "warm\n"
            process.send_signal(stop)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "closed\n", ""), first


@pytest.mark.parametrize(
    ("trusted", "seen"), [((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.9"), (("10.0.0.0/8",), "127.0.0.1")]
)
def test_forwarded_addresses_are_believed_from_trusted_proxies_only(trusted: tuple[str, ...], seen: str) -> None:
    script = textwrap.dedent(
        f"""
        from fastapi import FastAPI, Request
        from channels.server import serve

        app = FastAPI()

        @app.get("/who")
        def who(request: Request) -> str:
            return request.client.host

        class Assistant:
            def warm_up(self):
                pass

        serve(app, Assistant(), host="127.0.0.1", port=0, trusted_proxies={trusted!r})
        """
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, encoding="utf-8")
    assert process.stdout is not None
    with process:
        address = process.stdout.readline().rpartition(" ")[2].strip()
        reply = httpx.get(f"{address}/who", headers={"X-Forwarded-For": "203.0.113.9"}, trust_env=False)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert reply.json() == seen
