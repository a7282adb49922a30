"""Who may call what, of everything that programs call; and that other sites' pages may call nothing."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from channels import guard
from channels.access import QUESTIONS_A_MINUTE
from tests.channels.conftest import whole_app
from vectorstore.keys import Keys

# Gradio counts its queue with options that pandas is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")

HERE = "http://127.0.0.1"
QUESTION = "园区管理机构每年最高能拿到多少奖补？"
CHAT = {"messages": [{"role": "user", "content": QUESTION}]}
LISTING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
EITHER = {"accept": "application/json, text/event-stream"}

# Every route with a request that it takes, and whether it takes a key for asking or one for managing.
ROUTES: dict[tuple[str, str], tuple[dict[str, Any], str]] = {
    ("POST", "/api/ask"): ({"json": {"question": QUESTION}}, "ask"),
    ("GET", "/api/documents"): ({}, "ask"),
    ("POST", "/api/documents"): (
        {"files": {"file": ("note.txt", "第一条 本办法自发布之日起施行。".encode())}},
        "manage",
    ),
    ("POST", "/v1/chat/completions"): ({"json": CHAT}, "ask"),
    ("GET", "/v1/models"): ({}, "ask"),
    ("GET", "/v1/models/zhice"): ({}, "ask"),
    ("POST", "/mcp"): ({"json": LISTING, "headers": EITHER}, "ask"),
    ("GET", "/metrics"): ({}, "manage"),
    ("GET", "/healthz"): ({}, "all"),
    ("GET", "/readyz"): ({}, "all"),
}
CALLERS = ("nobody", "wrong", "revoked", "ask", "admin")
EXPECTED = {
    ("ask", "open"): (200, 200, 200, 200, 200),
    ("ask", "keyed"): (401, 401, 401, 200, 200),
    ("all", "open"): (200,) * 5,
    ("all", "keyed"): (200,) * 5,
    ("manage", "open"): (401, 401, 401, 403, 200),
    ("manage", "keyed"): (401, 401, 401, 403, 200),
}


@pytest.fixture(scope="module", params=["open", "keyed"])
def served(request: pytest.FixtureRequest, shelf: Any) -> Iterator[tuple[str, TestClient]]:
    app = whole_app(shelf.assistant, keyed=request.param == "keyed", admin_password="password")
    with TestClient(app, base_url=HERE, raise_server_exceptions=False) as client:
        yield request.param, client


@pytest.fixture(scope="module")
def client(shelf: Any) -> Iterator[TestClient]:
    with TestClient(whole_app(shelf.assistant), base_url=HERE, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(shelf: Any, serving: Callable[[Any], str]) -> str:
    return serving(whole_app(shelf.assistant)).removeprefix("http://")


@pytest.fixture(scope="module")
def key_of(shelf: Any) -> dict[str, str]:
    keys = Keys(shelf.assistant.store.catalog)
    key_id, revoked = keys.new("revoked", ["admin"])
    keys.revoke(key_id)
    made = {scope: keys.new(scope, [scope])[1] for scope in ("ask", "admin")}
    return {"wrong": "zk_" + "x" * 43, "revoked": revoked, **made}


def bearing(key: str | None, more: dict[str, str] | None = None) -> dict[str, str]:
    return {**(more or {}), **({"authorization": f"Bearer {key}"} if key else {})}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_every_route_lets_in_whom_it_should(
    served: tuple[str, TestClient], key_of: dict[str, str], route: tuple[str, str], caller: str
) -> None:
    mode, client = served
    request, needed = ROUTES[route]
    options = {**request, "headers": bearing(key_of.get(caller), request.get("headers"))}
    response = client.request(*route, **options)
    assert response.status_code == EXPECTED[needed, mode][CALLERS.index(caller)], response.text
    if response.status_code >= 400:
        assert response.json()["error"]["message"]
        assert ("www-authenticate" in response.headers) == (response.status_code == 401)


def test_the_matrix_knows_every_route(client: TestClient) -> None:
    described = {
        (method.upper(), path)
        for path, methods in client.get("/openapi.json").json()["paths"].items()
        for method in methods
    }
    of_operators = {("GET", "/metrics"), ("GET", "/healthz"), ("GET", "/readyz")}
    assert described | {("POST", "/mcp")} | of_operators == set(ROUTES)


def test_a_key_ends_at_once(served: tuple[str, TestClient], shelf: Any) -> None:
    mode, client = served
    keys = Keys(shelf.assistant.store.catalog)
    key_id, key = keys.new("soon gone", ["admin"])
    files = {"file": ("note.txt", b"")}
    assert client.post("/api/documents", headers=bearing(key), files=files).status_code == 200
    assert client.get("/api/documents", headers=bearing(key)).status_code == 200
    keys.revoke(key_id)
    assert client.post("/api/documents", headers=bearing(key), files=files).status_code == 401
    assert client.get("/api/documents", headers=bearing(key)).status_code == (401 if mode == "keyed" else 200)


def test_being_signed_in_on_the_page_gives_programs_nothing(served: tuple[str, TestClient]) -> None:
    _, client = served
    try:
        assert client.post("/admin/sign-in", data={"password": "password"}).status_code == 204
        assert client.post("/api/documents", files={"file": ("a.txt", b"x")}).status_code == 401
    finally:
        client.cookies.clear()


@pytest.mark.parametrize("scheme", ["Basic {key}", "{key}", "Bearer", "Bearer ", "Bearer {key} more", "Token {key}"])
def test_only_a_whole_bearer_key_counts(shelf: Any, new_key: Callable[..., str], served: Any, scheme: str) -> None:
    headers = {"authorization": scheme.format(key=new_key("admin"))}
    assert served[1].post("/api/documents", headers=headers, files={"file": ("a.txt", b"x")}).status_code == 401


# how often


@pytest.mark.parametrize("path", ["/api/ask", "/v1/chat/completions"])
def test_who_asks_too_fast_is_told_when_to_ask_again(
    client: TestClient, new_key: Callable[..., str], path: str
) -> None:
    headers = bearing(new_key())
    body = {"question": "珠穆朗玛峰有多高？", "messages": [{"role": "user", "content": "珠穆朗玛峰有多高？"}]}
    asked = [client.post(path, headers=headers, json=body) for _ in range(QUESTIONS_A_MINUTE + 1)]
    assert {response.status_code for response in asked[:-1]} == {200}
    assert asked[-1].status_code == 429
    assert 1 <= int(asked[-1].headers["retry-after"]) <= 60
    assert asked[-1].json()["error"]["code"] == "rate_limit_exceeded"
    assert client.post(path, headers=bearing(new_key()), json=body).status_code == 200


def test_keys_that_are_not_known_share_their_address_allowance(shelf: Any) -> None:
    with TestClient(whole_app(shelf.assistant), base_url=HERE) as client:
        asked = [
            client.post(
                "/api/ask", headers=bearing(f"sk-{number}"), json={"question": "珠穆朗玛峰有多高？"}
            ).status_code
            for number in range(QUESTIONS_A_MINUTE + 1)
        ]
    assert asked == [200] * QUESTIONS_A_MINUTE + [429]


# other sites, other names, other methods


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}, {"origin": "x["}],
)
def test_other_sites_pages_can_send_nothing_without_a_key(client: TestClient, headers: dict[str, str]) -> None:
    for (method, path), (request, _) in ROUTES.items():
        if method == "POST":
            response = client.post(path, **{**request, "headers": {**request.get("headers", {}), **headers}})
            assert response.status_code == 403, path
            assert response.json()["error"]["message"]


def test_a_program_with_a_key_may_name_an_origin(client: TestClient, new_key: Callable[..., str]) -> None:
    headers = bearing(new_key("admin"), {"origin": "app://chat", **EITHER})
    for (method, path), (request, _) in ROUTES.items():
        assert client.request(method, path, **{**request, "headers": headers}).status_code == 200, path


@pytest.mark.parametrize("path", ["/gradio_api/queue/join", "/gradio_api/upload", "/admin/sign-in"])
def test_a_key_opens_nothing_of_the_page_to_other_sites(
    client: TestClient, new_key: Callable[..., str], path: str
) -> None:
    headers = bearing(new_key("admin"), {"origin": "https://evil.example"})
    assert client.post(path, headers=headers, json={}).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[", ""])
def test_without_a_password_other_names_are_refused(client: TestClient, new_key: Callable[..., str], host: str) -> None:
    for (method, path), (request, _) in ROUTES.items():
        headers = bearing(new_key("admin"), {"host": host})
        response = client.request(method, path, **{**request, "headers": headers})
        assert response.status_code == 421, path
        assert response.json()["error"]["message"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE"])
def test_other_methods_are_refused_with_those_there_are(client: TestClient, method: str) -> None:
    for path in {path for _, path in ROUTES}:
        if (method, path) not in ROUTES:
            response = client.request(method, path)
            assert response.status_code == 405, path
            assert set(response.headers["allow"].split(", ")) == {known for known, its in ROUTES if its == path}


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nothing", "/api/ask/", "/v1/nothing", "/v1/models/gpt-4o", "/mcp/x"]
)
def test_unknown_addresses_are_told_so_as_json(client: TestClient, path: str) -> None:
    for method in ("GET", "POST"):
        response = client.request(method, path)
        assert response.status_code == 404
        assert response.json()["error"]["message"]


# how much


@pytest.mark.parametrize("path", ["/api/ask", "/v1/chat/completions", "/mcp"])
def test_a_body_over_the_limit_is_refused_as_json(client: TestClient, path: str) -> None:
    for body in (b"x" * (guard.LARGEST_BODY + 1), iter([b"x" * guard.LARGEST_BODY, b"x"])):
        response = client.post(path, content=body)
        assert response.status_code == 413
        assert response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("scope", "length", "status"),
    [("", 10, 401), ("ask", 10, 403), ("admin", guard.LARGEST_UPLOAD + 1, 413), ("admin", None, 411)],
)
def test_files_are_refused_before_they_are_sent(
    address: str, new_key: Callable[..., str], scope: str, length: int | None, status: int
) -> None:
    lines = ["POST /api/documents HTTP/1.1", f"Host: {address}", "Content-Type: multipart/form-data; boundary=x"]
    lines.append("Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}")
    if scope:
        lines.append(f"Authorization: Bearer {new_key(scope)}")
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        said = connection.recv(65536)
        while b"}" not in said:
            said += connection.recv(65536)
    assert said.startswith(f"HTTP/1.1 {status} ".encode())
    assert json.loads(said.partition(b"\r\n\r\n")[2])["error"]["message"]


def test_a_file_larger_than_other_bodies_is_taken(client: TestClient, new_key: Callable[..., str]) -> None:
    text = "第一条 本规定适用于本市。\n" * 50_000
    response = client.post(
        "/api/documents", headers=bearing(new_key("admin")), files={"file": ("long.txt", text.encode())}
    )
    assert len(text.encode()) > guard.LARGEST_BODY
    assert response.json()["files"][0]["outcome"] == "added"
