"""Line 10: every route and every event of the page, called by everyone there is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from evaluation.scoreboard import surface
from evaluation.scoreboard.line import Line
from evaluation.scoreboard.policies import write_policies
from evaluation.scoreboard.served import serving
from evaluation.scoreboard.surface import ACCOUNTS, COOKIE, METHODS, PATIENCE, Event, Route, session
from ingest import ingest_paths
from vectorstore.store import PolicyStore

PASSWORD: Final = "a password for this line alone"  # noqa: S105 - of a server that lives for this line
DOCUMENTS: Final = 3
QUESTION: Final = "第1号项目最高奖励多少？"
NEW_TITLE: Final = "改过的标题"

NOBODY, ASK_KEY, ADMIN_KEY, SESSION = "nobody", "an ask key", "an admin key", "a session"
CALLERS: Final = (
    NOBODY, "a wrong key", "a revoked key", "a forged session", "an ended session", ASK_KEY, ADMIN_KEY, SESSION,
)  # fmt: skip
FEW: Final = (NOBODY, "an ended session", ADMIN_KEY, SESSION)
"""Who calls the page's events in the quick form."""

# Who is let in, by what is granted; `ask` and `read` when asking is keyed. A session is the administrator's on the page,
# who reads and manages there; programs have keys, and a key opens nothing of the page.
GRANTED: Final[Mapping[str, frozenset[str]]] = {
    "all": frozenset(CALLERS),
    "ask": frozenset({ASK_KEY, ADMIN_KEY}),
    "manage": frozenset({ADMIN_KEY}),
    "read": frozenset({SESSION}),
    "upload": frozenset({SESSION}),
    "closed": frozenset(),
}
WHEN_OPEN: Final = ("ask", "read")

# What is granted, the methods, the paths. A short link is for all by design: it was made to be passed on, and opens one
# version of one document. Signing in takes the password, and the accounts' callbacks a signature of the platform, which
# none of the callers has. All that Gradio brings and the page does not need is closed.
TABLE: Final = """
ask     POST      /api/ask /v1/chat/completions /mcp
ask     GET       /api/documents /v1/models /v1/models/zhice
manage  POST      /api/documents
manage  GET       /metrics
read    GET       /d/{document_id} /d/{document_id}/qr.svg /d/{document_id}/changes
upload  POST      /gradio_api/upload
all     GET       /s/{code} /s/{code}/source /s/{code}/qr.svg
all     GET       /healthz /readyz /openapi.json /docs /docs/{name} /zhice/{name}
closed  GET       /config/
all     GET       / /config /theme.css /favicon.ico /assets/{path:path} /static/{path:path}
all     GET       /gradio_api/info /gradio_api/startup-events /gradio_api/theme.css
all     GET       /gradio_api/queue/data /gradio_api/heartbeat/{session_hash} /gradio_api/upload_progress
all     POST      /gradio_api/queue/join /gradio_api/cancel /gradio_api/reset /admin/sign-out
closed  POST      /admin/sign-in
closed  GET,POST  /wechat /wecom /wecom/bot
closed  GET,POST  /login /logout /svelte/{path:path} /robots.txt /pwa_icon /pwa_icon/{size} /manifest.json
closed  GET       /monitoring /monitoring/summary /monitoring/{key}
closed  GET       /gradio_api/deep_link /gradio_api/user /gradio_api/login_check /gradio_api/token /gradio_api/app_id
closed  GET       /gradio_api/dev/reload /gradio_api/runs /gradio_api/openapi.json /gradio_api/file/{path:path}
closed  GET       /gradio_api/custom_component/{id}/{environment}/{type}/{file_name} /gradio_api/queue/status
closed  GET       /gradio_api/proxy={url_path:path} /gradio_api/file={path_or_url:path}
closed  POST      /gradio_api/stream/{event_id} /gradio_api/stream/{event_id}/close
closed  GET       /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8
closed  GET       /gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}
closed  GET       /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file
closed  POST      /gradio_api/api/{api_name} /gradio_api/run/{api_name} /gradio_api/call/{api_name}
closed  POST      /gradio_api/call/v2/{api_name} /gradio_api/component_server /gradio_api/process_recording
closed  GET       /gradio_api/call/{api_name}/{event_id} /gradio_api/call/v2/{api_name}/{event_id}
closed  GET,POST  /gradio_api/vibe-code /gradio_api/vibe-edit /gradio_api/undo-vibe-edit
closed  POST      /gradio_api/vibe-starter-queries
"""

# Every event of the page with what it does for the administrator: it names documents, or changes them. For others it
# does nothing of this, but for asking while that is open.
EVENTS: Final[Mapping[str, str]] = {
    "load": "", "leave": "", "switch": "names", "ask_typed": "names", "ask_chosen": "names", "ask_edited": "names",
    "stop": "", "unnamed": "", "start_anew": "", "unnamed_1": "", "rate": "", "show_documents": "names",
    "show_documents_1": "names", "read_again": "names", "show_correction": "names", "correct": "changes",
    "add": "changes", "remove": "changes",
}  # fmt: skip
# Asks which file that is being uploaded; there is none.
NOT_THERE: Final = "/gradio_api/upload_progress"
ASKING: Final = ("ask_typed", "ask_chosen", "ask_edited")


@dataclass(slots=True)
class Count:
    """How many calls were made, and those that came out otherwise than the tables have it."""

    routes: int = 0
    events: int = 0
    calls: int = 0
    wrong: list[str] = field(default_factory=list)


def table() -> dict[tuple[str, str], str]:
    """What is granted by method and path."""
    rows = (line.split() for line in TABLE.strip().splitlines())
    return {(method, path): grant for grant, methods, *paths in rows for path in paths for method in methods.split(",")}


def run(work: Path, *, quick: bool) -> Line:
    """All routes with all methods and all events, keyed and open; in the quick form keyed, with the methods they have."""
    started, count = time.perf_counter(), Count()
    data, environ = work / "kb", {**ACCOUNTS, "ZHICE_ADMIN_PASSWORD": PASSWORD, "ZHICE_SAMPLES": "0"}
    lister = surface.listing(work / "empty", **environ)
    write_policies(work / "policies", range(1, DOCUMENTS + 1))
    ingest_paths([work / "policies"], data_dir=data)
    routes: list[Route] = []
    modes = ("keyed",) if quick else ("keyed", "open")
    for mode in modes:
        with serving(data, ZHICE_ASKING=mode, **environ) as server, surface.shelf(data) as store:
            routes = routes or surface.listed(lister)
            matrix(server.address, store, mode, routes, count, quick=quick)
    return Line(
        10,
        "access matrix: every route and every event of the page, by everyone",
        f"routes of the app and of /openapi.json{'' if quick else ' with seven methods each'}, and the page's events "
        f"called directly, by {len(CALLERS)} callers ({', '.join(CALLERS)}) on `zhice serve`, asking {' and '.join(modes)}",
        f"{len(count.wrong)} of {count.calls:,} calls of {count.routes} routes and {count.events} events came out otherwise "
        "than is granted" + "".join(f"; {each}" for each in count.wrong[:3]),
        not count.wrong,
        time.perf_counter() - started,
    )


def matrix(address: str, store: PolicyStore, mode: str, routes: Sequence[Route], count: Count, *, quick: bool) -> None:
    """Call everything at an address, in full with all methods; in the quick form events are called by a few."""
    document = store.catalog.records()[0].document_id
    with _Callers(address, store) as clients:
        nobody = clients[NOBODY]
        values = surface.values(nobody, store, document)
        known = sorted({*routes, *surface.described(nobody)}, key=_last_sign_out)
        count.routes = len({route.path for route in known})
        _call_routes(clients, known, values, mode, count, () if quick else METHODS)
        found = surface.events(nobody)
        count.events = len(found)
        calling = {caller: clients[caller] for caller in (FEW if quick else CALLERS)}
        _call_events(_Page(calling, store, document, mode), found, count)


class _Callers:
    """A client for each caller; the session that signs out with the last route is another than the one that stays."""

    def __init__(self, address: str, store: PolicyStore) -> None:
        ended, kept = session(address, PASSWORD), session(address, PASSWORD)
        httpx.post(f"{address}/admin/sign-out", cookies={COOKIE: ended}, timeout=PATIENCE, trust_env=False)
        keys = {
            "a wrong key": "zk_" + "x" * 43,
            "a revoked key": surface.new_key(store, "admin", revoked=True),
            ASK_KEY: surface.new_key(store, "ask"),
            ADMIN_KEY: surface.new_key(store, "admin"),
        }
        sessions = {"a forged session": "x" * 43, "an ended session": ended, SESSION: kept}
        self._clients = {
            caller: httpx.Client(
                base_url=address,
                headers={"Authorization": f"Bearer {keys[caller]}"} if caller in keys else {},
                cookies={COOKIE: sessions[caller]} if caller in sessions else {},
                timeout=PATIENCE,
                trust_env=False,
            )
            for caller in CALLERS
        }

    def __enter__(self) -> dict[str, httpx.Client]:
        return self._clients

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()


# Routes


def _call_routes(
    clients: Mapping[str, httpx.Client],
    routes: Sequence[Route],
    values: Mapping[str, str],
    mode: str,
    count: Count,
    methods: Sequence[str],
) -> None:
    granted, has = table(), dict[str, set[str]]()
    paths = {path for _, path in granted}
    for route in routes:
        plain = _plain(route.path)
        if plain not in paths if route.method in (None, "HEAD") else (route.method, plain) not in granted:
            count.wrong.append(f"the table does not know {route.method} {route.path}")
        has.setdefault(route.path, set()).update([route.method] if route.method else METHODS)
    for path, its in has.items():
        for method in [each for each in METHODS if each in its or each in methods]:
            plain, must = _plain(path), method != "HEAD" and path != NOT_THERE
            grant = granted.get(("GET" if method == "HEAD" else method, plain), "closed")
            for caller, client in clients.items():
                # The session that is called with is needed until the end.
                if path == "/admin/sign-out" and caller == SESSION and method == "POST":
                    continue
                status = surface.status_of(
                    client, method, surface.filled(path, values), **surface.request(method, plain, QUESTION)
                )
                count.calls += 1
                _judge(status, caller, f"{method} {path}", _may(grant, mode), mode, count, must=must)


def _may(grant: str, mode: str) -> frozenset[str]:
    return GRANTED["all"] if mode == "open" and grant in WHEN_OPEN else GRANTED[grant]


def _judge(status: int, caller: str, called: str, may: frozenset[str], mode: str, count: Count, *, must: bool) -> None:
    """Note a call that was let in without a grant, or refused with one: a table that grants too much tests nothing."""
    let_in = status < 400
    if let_in and caller not in may:
        count.wrong.append(f"{caller} was let in to {called} ({status}, asking {mode})")
    elif must and caller in may and not let_in:
        count.wrong.append(f"{caller} was refused {called} ({status}, asking {mode})")


def _plain(path: str) -> str:
    """The path as the table has it, which leaves out a slash behind it where that makes no difference."""
    return path if path in ("/", "/config/") else path.rstrip("/")


def _last_sign_out(route: Route) -> tuple[bool, str]:
    return route.path == "/admin/sign-out", str(route)


# Events


@dataclass(frozen=True, slots=True)
class _Page:
    """The page of a server, and the documents that its events name and change."""

    clients: Mapping[str, httpx.Client]
    store: PolicyStore
    document: str
    mode: str

    def names(self) -> list[str]:
        """What no reply may hold for who may not know the documents."""
        return [
            name
            for record in self.store.catalog.records()
            for name in (record.metadata.title or record.source, record.source)
        ]

    def state(self) -> tuple[int, int]:
        """What changes with any change of the documents."""
        catalog = self.store.catalog
        return catalog.revision(), len(catalog.corrections(self.document))

    def values(self, event: Event) -> Iterator[tuple[list[Any], Any]]:
        """What an event is called with."""
        given = {"document": self.document, "fields": {"title": NEW_TITLE}, "question": QUESTION, "turn": 0}
        data: list[Any] = [None] * event.values
        if event.name in ASKING:
            data = [QUESTION, [], "zh", {}]
        elif event.name == "add":
            data = [[self._uploaded()], "zh"]
        yield data, given

    def _uploaded(self) -> dict[str, Any]:
        """A file as it lies on the server after the administrator's upload."""
        file = ("new.txt", f"云川市新办法\n第一条 {time.monotonic_ns()}年起施行。".encode())
        path = self.clients[SESSION].post("/gradio_api/upload", files={"files": file}).json()[0]
        return {"path": path, "orig_name": "new.txt", "meta": {"_type": "gradio.FileData"}}


def _call_events(page: _Page, found: Sequence[Event], count: Count) -> None:
    """The administrator calls each event last, so that it has something to do."""
    unknown = {event.name for event in found} ^ set(EVENTS)
    count.wrong += [f"the events of the page and the table differ in {name}" for name in sorted(unknown)]
    order = list(EVENTS)
    for event in sorted(found, key=lambda each: order.index(each.name) if each.name in order else -1):
        for caller, client in page.clients.items():
            for data, given in page.values(event):
                names, before = page.names(), page.state()
                said = surface.call(client, event, data, given)
                count.calls += 1
                does = {
                    "names": any(name in said for name in names),
                    "changes": page.state() != before,
                }
                _judge_event(event.name, caller, does, page.mode, count)


def _judge_event(event: str, caller: str, does: Mapping[str, bool], mode: str, count: Count) -> None:
    wanted = EVENTS.get(event, "")
    may_name = caller == SESSION or (mode == "open" and event in ASKING)
    if does["names"] and not may_name:
        count.wrong.append(f"{event} named documents to {caller} (asking {mode})")
    if does["changes"] and (caller != SESSION or wanted != "changes"):
        count.wrong.append(f"{event} changed documents for {caller} (asking {mode})")
    if wanted and caller == SESSION and not does[wanted]:
        count.wrong.append(f"{event} did nothing for {caller} (asking {mode})")
