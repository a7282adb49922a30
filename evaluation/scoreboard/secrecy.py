"""Line 15: everything that a server says, in responses and in its log, searched for what it must not say."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from evaluation.scoreboard import surface
from evaluation.scoreboard.access import table
from evaluation.scoreboard.failing_model import failing_model
from evaluation.scoreboard.line import Line
from evaluation.scoreboard.policies import ROOT, write_policies
from evaluation.scoreboard.served import Server, serving
from evaluation.scoreboard.surface import ACCOUNTS, COOKIE, METHODS, PATIENCE, Route
from ingest import ingest_paths

PASSWORD: Final = "canary-password-5e1b"  # noqa: S105 - of a server that lives for this line
MODEL_KEY: Final = "sk-canary-model-key-77d2"
WORD: Final = "白鹭洲暗语"  # in the question, and nowhere else
MARK: Final = "document-canary-93ac"  # in a document
QUESTION: Final = f"{WORD}：第1号项目最高奖励多少？"
FOLDER: Final = "canary-folder-41c7"
NOWHERE: Final = "http://127.0.0.1:1/v1"
"""An address of this machine where nothing listens."""

LARGEST: Final = 2**20  # the largest body that is taken; what is sent is one more
MOST_READ: Final = 4 * 2**20  # bytes of a response: more than the largest, a file of the page's own program
SHORTEST: Final = 12  # characters of a prompt by which it is known

_SECRETS: Final = ("TOKEN", "KEY", "SECRET")
# Folders that any path of this machine begins with.
_FOLDERS: Final = re.compile(r"(?:^|[\s\"'(=:\[>])/(?:home|root|tmp|usr|var|opt|private|Users)/[\w.-]+")
_TRACE: Final = re.compile(r"Traceback \(most recent call last\)|File \\?\"[^\"\n]+\\?\", line \d+")
# Gradio's protocol: the page is told where an upload lies, which it sends back with the event that takes the file in.
_UPLOADED: Final = re.compile(r"(?<=\")/[\w./-]+/[0-9a-f]{64}/")
# Files of the page's own program, the same on every machine; they name folders in what they explain.
_STATIC: Final = ("text/javascript", "application/javascript", "text/css", "font/", "image/")


@dataclass(slots=True)
class Found:
    """What was searched, and what was found in it."""

    responses: int = 0
    lines: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Unsaid:
    """What is not to be said: anywhere; in responses; in the log. Each has a name, as it is not shown itself."""

    anywhere: Mapping[str, str]
    responses: Mapping[str, str]
    log: Mapping[str, str]

    def in_response(self, text: str, kind: str) -> Iterator[str]:
        """What a response says that it must not."""
        text = _UPLOADED.sub("", text)
        yield from (name for name, words in {**self.anywhere, **self.responses}.items() if words in text)
        if not kind.startswith(_STATIC):
            yield from (f"a path: {found[0].strip()}" for found in _FOLDERS.finditer(text))
            yield from ("a traceback" for _ in _TRACE.finditer(text))

    def in_log(self, text: str) -> Iterator[str]:
        """What a log says that it must not; paths and tracebacks are what it is for."""
        yield from (name for name, words in {**self.anywhere, **self.log}.items() if words in text)


def run(work: Path, *, quick: bool) -> Line:
    """Two servers, with either form of log and two models that fail; in the quick form the first, with fewer requests."""
    started, found = time.perf_counter(), Found()
    data = work / FOLDER
    write_policies(work / "policies", [1, 2])
    (work / "policies" / "marked.txt").write_text(
        f"海州市标记办法\n\n第一条 本办法的标记是{MARK}。\n", encoding="utf-8"
    )
    ingest_paths([work / "policies"], data_dir=data)
    routes = [Route(method, path) for method, path in table()]  # line 10 sees to it that none is missing
    with failing_model() as address:
        for log, model in (("json", address), ("text", NOWHERE))[: 1 if quick else 2]:
            environ = {
                **ACCOUNTS,
                "ZHICE_ADMIN_PASSWORD": PASSWORD,
                "ZHICE_ASKING": "keyed",
                "ZHICE_LOG": log,
                "ZHICE_MODEL": "openai:scripted",
                "ZHICE_BASE_URL": model,
                "ZHICE_API_KEY": MODEL_KEY,
            }
            with serving(data, **environ) as server:
                drive(server, data, routes, found, quick=quick)
    wrong = sorted(set(found.wrong))
    return Line(
        15,
        "secrets: logs, errors, page config, OpenAPI",
        "every route and every event of the page with good and bad input (broken JSON, wrong types, too much, damaged files), "
        f"by nobody, a program and the administrator; a model that fails and repeats the key and the question; "
        f"{'JSON' if quick else 'JSON and text'} log. Searched for keys, secrets and their hashes, paths, tracebacks and "
        "prompts in responses; for keys, secrets, questions, documents and prompts in the log",
        f"{len(wrong)} found in {found.responses:,} responses and {found.lines:,} lines of log"
        + "".join(f"; {each}" for each in wrong[:5]),
        not wrong,
        time.perf_counter() - started,
    )


def drive(server: Server, data: Path, routes: Sequence[Route], found: Found, *, quick: bool) -> None:
    """Call everything in every way, and search what is said."""
    with surface.shelf(data) as store:
        keys = {scope: surface.new_key(store, scope) for scope in ("ask", "admin")}
        token = surface.session(server.address, PASSWORD)
        unsaid = what_is_unsaid(data, [*keys.values(), token])
        document = store.catalog.records()[0].document_id
        with _client(server.address) as nobody, _client(server.address, keys["admin"], token) as administrator:
            values = surface.values(nobody, store, document)
            told = _Told(unsaid, found)
            for client in (nobody, administrator):
                for method, path, request in requests(routes, values, quick=quick):
                    told.listen(client, method, path, **request)
                for event in surface.events(client):
                    inputs = list(_event_inputs(event.values, document))
                    for data_given, given in inputs[:1] if quick else inputs:
                        told.text(surface.call(client, event, data_given, given), f"the event {event.name}")
            for answer in _asked(administrator, keys["ask"]):
                told.response(answer)
    said = server.said()
    found.lines += len(said.splitlines())
    found.wrong += [f"the log has {name}" for name in unsaid.in_log(said)]


class _Told:
    """Searches each response."""

    def __init__(self, unsaid: Unsaid, found: Found) -> None:
        self._unsaid, self._found = unsaid, found

    def listen(self, client: httpx.Client, method: str, path: str, **request: Any) -> None:
        """Call, and search the response, of an endless one what comes first."""
        endless = "heartbeat" in path
        try:
            with client.stream(method, path, **request) as reply:
                body = b""
                for piece in reply.iter_bytes() if not endless else ():
                    body += piece
                    if len(body) > MOST_READ:
                        break
                self._search(reply, body.decode("utf-8", "replace"))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            return  # nothing was sent
        except httpx.RemoteProtocolError:
            self._found.responses += 1  # refused without a word

    def response(self, reply: httpx.Response) -> None:
        """Search a whole response."""
        self._search(reply, reply.text)

    def text(self, text: str, source: str) -> None:
        """Search what an event said."""
        self._found.responses += 1
        self._found.wrong += [f"{source} says {name}" for name in self._unsaid.in_response(text, "")]

    def _search(self, reply: httpx.Response, body: str) -> None:
        self._found.responses += 1
        headers = "\n".join(f"{name}: {value}" for name, value in reply.headers.items() if name != "set-cookie")
        source = f"{reply.request.method} {reply.request.url.path} ({reply.status_code})"
        kind = reply.headers.get("content-type", "")
        self._found.wrong += [f"{source} says {name}" for name in self._unsaid.in_response(f"{headers}\n{body}", kind)]


def what_is_unsaid(data: Path, keys: Sequence[str]) -> Unsaid:
    """All that is searched for, of a server over this data folder with these keys."""
    secrets = {
        "the password": PASSWORD,
        "the model's key": MODEL_KEY,
        **{f"{name}": value for name, value in ACCOUNTS.items() if name.endswith(_SECRETS)},
        **{f"a key or token ({number})": key for number, key in enumerate(keys)},
    }
    hashes = {f"the hash of {name}": hashlib.sha256(words.encode()).hexdigest() for name, words in secrets.items()}
    prompts = {f"the prompt {words[:SHORTEST]!r}": words for words in prompt_words()}
    paths = {
        "the data folder": FOLDER,
        "the program's folder": str(ROOT),
        "the folder of packages": sysconfig.get_paths()["purelib"],
        "Python's folder": sys.base_prefix,
        "a prepared hash": "$argon2",
        "the data folder's parent": str(data.parent),
    }
    return Unsaid({**secrets, **hashes, **prompts}, paths, {"the question": WORD, "a document's words": MARK})


def prompt_words() -> list[str]:
    """What a model is told, in pieces between the placeholders; each is long enough to be known by."""
    words = []
    for language in ("zh", "en"):
        text = (ROOT / "prompts" / f"writer.{language}.md").read_text("utf-8").partition("\n## ")[2]
        words += [
            piece.strip()
            for line in text.splitlines()
            for piece in re.split(r"\{\w+\}", line)
            if len(piece.strip()) >= SHORTEST
        ]
    return words


# Input


def requests(
    routes: Sequence[Route], values: Mapping[str, str], *, quick: bool
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every route as it is to be called and as it is not; signing out is left to the others."""
    bad: list[dict[str, Any]] = [
        {"content": b"{"},
        {"json": [5]},
        {"json": {"question": {"a": WORD}, "messages": WORD, "session_hash": 7}},
    ]
    for route in routes:
        if route.path == "/admin/sign-out":
            continue
        path = surface.filled(route.path, values)
        plain = route.path if route.path == "/" else route.path.rstrip("/")
        for method in (route.method or "POST",) if quick else METHODS:
            yield method, path, surface.request(method, plain, QUESTION)
            if method == "POST":
                yield from ((method, path, each) for each in bad)
    yield from _unfit(values)


def _unfit(values: Mapping[str, str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Too much, damaged files, addresses that there are not, and headers that nobody sends."""
    for path in ("/api/ask", "/v1/chat/completions", "/mcp", "/gradio_api/queue/join"):
        yield "POST", path, {"content": b"x" * (LARGEST + 1)}
        yield "POST", path, {"content": b"\xff\xfe{", "headers": {"Content-Type": "application/json"}}
    yield "POST", "/api/ask", {"json": {"question": WORD * 500}}
    yield "POST", "/api/ask", {"json": {"question": QUESTION, "as_of": WORD, "filters": {WORD: WORD}}}
    yield "POST", "/v1/chat/completions", {"json": {"messages": [{"role": "user", "content": WORD * 500}]}}
    damaged = {
        "a.pdf": b"%PDF-1.7 damaged",
        "b.docx": b"PK\x03\x04damaged",
        "c.exe": b"MZ",
        "d.txt": b"",
        "e.zip": b"PK",
    }
    for name, content in damaged.items():
        yield "POST", "/api/documents", {"files": {"file": (name, content)}}
    yield "POST", "/api/documents", {"content": b"no form", "headers": {"Content-Type": "multipart/form-data"}}
    yield (
        "POST",
        "/gradio_api/upload",
        {"content": b"no form", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
    )
    document = values["document_id"]
    for path in (
        "/nothing", "/api/nothing", "/v1/nothing", "/%2e%2e/%2e%2e/etc/passwd", "/zhice/..%2fpage.py", "/%00", "/%ff",
        f"/d/{document}?version=99", f"/d/{document}?start=-1&end=x", f"/d/{document}/changes?from=9&to=8", "/s/nothing",
        "/wechat?signature=x&timestamp=1&nonce=2&echostr=3", "/wecom?msg_signature=x&timestamp=1&nonce=2&echostr=3",
    ):  # fmt: skip
        yield "GET", path, {}
        yield "POST", path, {"content": b"<xml><Encrypt>x</Encrypt></xml>"}
    yield "GET", "/", {"headers": {"Host": "[", "Cookie": "a=b;;=;", "Accept-Language": "\x7f" * 50}}
    yield "GET", "/api/documents", {"headers": {"Authorization": "Bearer " + "x" * 5000}}


def _event_inputs(count: int, document: str) -> Iterator[tuple[list[Any], Any]]:
    """Values of an event: right ones, none, and such as no browser sends."""
    right: list[Any] = [QUESTION, [], "zh", {}][:count] if count == 4 else ["zh"] * count
    yield right, {"document": document, "question": QUESTION, "fields": {"title": ""}, "turn": 0}
    yield [None] * count, None
    yield [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}] * count, {"document": 7}
    yield [], "x"


def _asked(administrator: httpx.Client, key: str) -> Iterator[httpx.Response]:
    """Questions whose answers a model is asked for, as a program and as a chat ask them, whole and as they grow."""
    headers = {"Authorization": f"Bearer {key}"}
    for stream in (False, True):
        yield administrator.post("/api/ask", json={"question": QUESTION, "stream": stream}, headers=headers)
        messages = [{"role": "user", "content": QUESTION}]
        yield administrator.post("/v1/chat/completions", json={"messages": messages, "stream": stream}, headers=headers)
    call = {"name": "ask_policy", "arguments": {"question": QUESTION}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    accept = {"Accept": "application/json, text/event-stream", **headers}
    yield administrator.post("/mcp", content=json.dumps(body), headers={**accept, "Content-Type": "application/json"})


def _client(address: str, key: str = "", token: str = "") -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    cookies = {COOKIE: token} if token else {}
    return httpx.Client(base_url=address, headers=headers, cookies=cookies, timeout=PATIENCE, trust_env=False)
