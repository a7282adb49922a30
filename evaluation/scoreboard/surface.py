"""Everything that can be called on a server: the routes of its app, Gradio's among them, and the events of its page."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from evaluation.scoreboard.policies import ROOT
from vectorstore.keys import Keys
from vectorstore.links import Links
from vectorstore.store import PolicyStore

_SPECIAL: Final = {"/docs/{name}": "/docs/swagger-ui.css", "/static/{path:path}": "/static/img/logo.svg"}
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
COOKIE: Final = "zhice_admin"
PATIENCE: Final = 20
"""Seconds for a reply; the slowest, an answer on a machine that is busy, takes some two."""

# The accounts in WeChat, so that their routes are there; they are nobody's.
ACCOUNTS: Final = {
    "ZHICE_PUBLIC_URL": "https://zhice.example.com",
    "ZHICE_WECHAT_TOKEN": "WeChatTokenOfNobody",
    "ZHICE_WECHAT_APP_ID": "wx0000000000000000",
    "ZHICE_WECHAT_AES_KEY": "WeChatKeyOfNobody".ljust(43, "0"),
    "ZHICE_WECHAT_SECRET": "WeChatSecretOfNobody",
    "ZHICE_WECHAT_CERTIFIED": "1",
    "ZHICE_WECOM_CORP_ID": "ww0000000000000000",
    "ZHICE_WECOM_AGENT_ID": "1000001",
    "ZHICE_WECOM_SECRET": "WeComSecretOfNobody",
    "ZHICE_WECOM_TOKEN": "WeComTokenOfNobody",
    "ZHICE_WECOM_AES_KEY": "WeComKeyOfNobody".ljust(43, "0"),
    "ZHICE_WECOM_BOT_TOKEN": "WeComBotTokenOfNobody",
    "ZHICE_WECOM_BOT_AES_KEY": "WeComBotKeyOfNobody".ljust(43, "0"),
}

# Puts the app together from the environment, as `zhice serve` does, and says its routes: methods (none for a service of
# its own) and path. Gradio's app is mounted in it.
_ROUTES: Final = """
import asyncio, json, os, sys
from pathlib import Path
from fastapi.routing import iter_route_contexts
from app import create_app
from assistant.assembly import Assistant
from assistant.settings import Settings
from channels.wechat import from_environ
from vectorstore.store import PolicyStore

def walk(routes, prefix=""):
    for each in iter_route_contexts(routes):
        inner = getattr(each.route, "routes", None)
        if inner:
            yield from walk(inner, prefix + each.path)
        else:
            yield sorted(each.methods or ()), prefix + each.path

async def build():
    settings = Settings.from_environ(os.environ)
    with Assistant(PolicyStore(settings.data_dir)) as assistant:
        return list(walk(create_app(assistant, settings, from_environ(os.environ)).routes))

print(json.dumps(asyncio.run(build())))
"""


@dataclass(frozen=True, slots=True)
class Route:
    """A path as it is declared, with one method that it is declared for; none where it takes any."""

    method: str | None
    path: str


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the page: what the page's configuration calls it, and how many values it takes."""

    name: str
    number: int
    values: int


def listing(data: Path, **environ: str) -> subprocess.Popen[str]:
    """A process that lists the routes of the app as these variables make it, over a data folder of its own."""
    return subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", _ROUTES],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **environ, "ZHICE_DATA_DIR": str(data)},
    )


def listed(process: subprocess.Popen[str]) -> list[Route]:
    """What such a process has listed."""
    with process:
        said = process.communicate(timeout=120)[0]
    return sorted({Route(method, path) for methods, path in json.loads(said) for method in methods or (None,)}, key=str)


def described(client: httpx.Client) -> list[Route]:
    """What the server's own description lists for programs."""
    paths: dict[str, dict[str, Any]] = client.get("/openapi.json").json()["paths"]
    return [Route(method.upper(), path) for path, methods in paths.items() for method in methods]


def values(client: httpx.Client, store: PolicyStore, document: str) -> dict[str, str]:
    """What parameters of paths stand for: a document that there is, a short link to it, one of the page's own files."""
    asset = re.search(r"assets/([\w.-]+\.js)", client.get("/").text)
    return {
        "document_id": document,
        "code": Links(store.catalog).code(document, 1, 0, 10),
        "name": "page.js",
        "path": asset[1] if asset else "nothing",
        "path_or_url": str(store.folder / "catalog.sqlite3"),
        "url_path": f"{client.base_url}/healthz",
    }


def filled(path: str, given: Mapping[str, str]) -> str:
    """A declared path with values in place of its parameters; `nothing` for those that have none."""
    if path in _SPECIAL:
        return _SPECIAL[path]
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: given.get(found[1], "nothing"), path)


def request(method: str, path: str, question: str) -> dict[str, Any]:
    """What a route needs to be called rightly, as the arguments of a client's request."""
    if method == "GET":
        return {"params": {"session_hash": "none"}} if path.startswith("/gradio_api/") else {}
    if method != "POST":
        return {}
    either = {"Accept": "application/json, text/event-stream"}
    file = ("note.txt", "第一条 本办法自发布之日起施行。".encode())
    requests: dict[str, dict[str, Any]] = {
        "/api/ask": {"json": {"question": question}},
        "/v1/chat/completions": {"json": {"messages": [{"role": "user", "content": question}]}},
        "/mcp": {"json": {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}, "headers": either},
        "/api/documents": {"files": {"file": file}},
        "/gradio_api/upload": {"files": {"files": file}},
        "/gradio_api/queue/join": {"json": {"fn_index": 0, "data": [None], "session_hash": "none"}},
        "/gradio_api/cancel": {"json": {"session_hash": "none", "fn_index": 0, "event_id": "none"}},
        "/gradio_api/reset": {"json": {"event_id": "none"}},
        "/admin/sign-in": {"data": {"password": "a guess"}},
    }
    return requests.get(path, {"json": {}})


def events(client: httpx.Client) -> list[Event]:
    """The events of the page, as anyone can read them from its configuration."""
    listed_events = client.get("/config").json()["dependencies"]
    return [Event(each["api_name"], each["id"], len(each["inputs"])) for each in listed_events]


def call(client: httpx.Client, event: Event, data: Sequence[Any], given: Any = None) -> str:
    """Call an event directly, in a session of its own, and read all that comes of it."""
    session = secrets.token_hex(6)
    body = {"fn_index": event.number, "data": data, "event_data": given, "session_hash": session}
    joined = client.post("/gradio_api/queue/join", json=body)
    if joined.status_code != httpx.codes.OK:
        return joined.text
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as reply:
        return "".join(reply.iter_text())


def status_of(client: httpx.Client, method: str, path: str, **request: Any) -> int:
    """A response's status; its body is not waited for, as some have no end."""
    with client.stream(method, path, **request) as reply:
        return reply.status_code


@contextmanager
def shelf(data: Path) -> Iterator[PolicyStore]:
    """A server's data folder, as the `zhice keys` command opens it beside the server."""
    store = PolicyStore(data, check_encoder=False)
    try:
        yield store
    finally:
        store.close()


def new_key(store: PolicyStore, scope: str, *, revoked: bool = False) -> str:
    """A key; with `revoked`, one that has ended."""
    keys = Keys(store.catalog)
    key_id, key = keys.new(scope, [scope])
    if revoked:
        keys.revoke(key_id)
    return key


def session(address: str, password: str) -> str:
    """The token of a new session of the administrator."""
    reply = httpx.post(f"{address}/admin/sign-in", data={"password": password}, timeout=PATIENCE, trust_env=False)
    return reply.cookies[COOKIE]
