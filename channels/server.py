"""Page and viewer as one ASGI app, and the server that runs it."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from assistant.assembly import Assistant
from assistant.errors import AssistantError
from channels.access import Access
from channels.admin import ADMIN_COOKIE, SIGNED_IN_SECONDS, Gate, TooManyTries, WrongPassword, session_of
from channels.changes import changes
from channels.docs import docs
from channels.ending import Ending
from channels.guard import Guard
from channels.observing import Metrics, Observing
from channels.problems import Refused, for_programs, problem, refusal_of
from channels.shelf import Shelf
from channels.templating import assets
from channels.texts import say
from channels.tuning import tune
from channels.viewer import language_for, notice, viewer
from vectorstore.audit import Audit
from vectorstore.quarantine import Quarantine
from vectorstore.sessions import Sessions
from vectorstore.taken import Taken
from vectorstore.tries import Tries

logger = logging.getLogger(__name__)

YEAR: Final = 365 * 24 * 3600
HEAD_SECONDS: Final = 30
"""Seconds for which a connection may stay without a whole request's head, as long as a body may take."""

# The server's clock ticks ten times a second; connections are looked at once a second.
_TICKS_A_LOOK: Final = 10


class Service(Protocol):
    """An ASGI app of its own at one path, which answers while it is running."""

    @property
    def path(self) -> str: ...

    def running(self) -> AbstractAsyncContextManager[None]:
        """What has to run beside the server."""
        ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


def build_app(
    assistant: Assistant,
    *,
    add_document: Callable[[str, Path], Sequence[Taken]],
    read_again: Callable[[str], str],
    remove_document: Callable[[str], None],
    admin_password: str | None,
    quarantine: Quarantine,
    routers: Sequence[APIRouter] = (),
    services: Sequence[Service] = (),
    closing: Sequence[Callable[[], None]] = (),
    access: Access | None = None,
    public_url: str | None = None,
    keyed: bool = False,
    metrics: Metrics | None = None,
) -> FastAPI:
    """The page at `/`, the source viewer with what changed at `/d/` and `/s/`, signing in and out, static files.

    With `access` there is also what programs call, described at `/docs`.

    Args:
        assistant: answers the questions.
        add_document: takes what a file is called and where it lies; gives what became of the file, or of each in an archive.
        read_again: reads a document's file again; gives "updated" or "unchanged".
        remove_document: takes a document out of search.
        admin_password: guards the three above; without one, only requests to this machine's own names are answered.
        quarantine: where uploaded files lie until they are taken in.
        routers: what other channels answer; each checks for itself who may ask.
        services: likewise; they run as long as the server does.
        closing: what is to be called when the server ends.
        access: which programs may ask and manage.
        public_url: what the outside calls this server, for QR codes.
        keyed: the page answers, and the viewer opens any document, only for who has signed in.
        metrics: where requests are counted.
    """
    # Read by Gradio when it is imported and when it builds its app: nothing is reported, uploads are ours alone.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(quarantine.folder)
    from channels.page import mount_page

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as running:
            for service in services:
                await running.enter_async_context(service.running())
            yield
        for close in closing:
            await run_in_threadpool(close)
        quarantine.close()

    catalog = assistant.store.catalog
    gate = Gate(admin_password, Sessions(catalog), Tries(catalog))
    app = FastAPI(title="Zhice", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)

    def opens(request: Request) -> bool:
        return not keyed or gate.admits(request.cookies.get(ADMIN_COOKIE))

    app.include_router(viewer(assistant, public_url=public_url, opens=opens))
    app.include_router(changes(assistant, opens=opens))
    for router in (*routers, docs(routers)) if access is not None else routers:
        app.include_router(router)
    app.router.routes.extend(Route(service.path, service) for service in services)
    _add_assets(app)
    audit = Audit(catalog)
    _add_signing_in(app, gate, audit)
    _add_notices(app)
    mount_page(app, assistant, Shelf(assistant, gate, add_document, read_again, remove_document, audit), keyed=keyed)
    app.state.ending = ending = Ending()
    app.add_middleware(Guard, gate=gate, access=access, ending=ending)
    if metrics is not None:
        app.add_middleware(Observing, metrics=metrics)
    return app


def serve(app: FastAPI, assistant: Assistant, *, host: str, port: int, trusted_proxies: Sequence[str] = ()) -> int:
    """Run until told to stop; the exit code: 0, or 1 when the address cannot be used.

    Forwarded addresses are believed from `trusted_proxies`, which are addresses or networks.
    """
    try:
        listener = _listen(host, port)
    except OSError as error:
        sys.stderr.write(
            f"zhice: {host}:{port} cannot be used: {error.strerror}. "
            "Stop what is using it, or choose another port with ZHICE_PORT.\n"
        )
        return 1
    tune()
    warming = threading.Thread(target=assistant.warm_up, name="warm-up", daemon=True)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,  # by then only heartbeats of open pages are left
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=list(trusted_proxies),
    )
    if threading.current_thread() is threading.main_thread():
        # uvicorn raises the signal again once it has stopped; by then there is nothing left to do.
        signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        ending = getattr(app.state, "ending", None) or Ending()
        _Watching(config, host, listener.getsockname()[1], warming, ending).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()
        if warming.ident is not None:
            warming.join(timeout=10)
    return 0


class _Watching(uvicorn.Server):
    """Says where it listens once it does, only then starts what can wait, and closes connections that ask for nothing.

    Told to end, it first finishes the answers that it is giving.
    uvicorn itself waits for ever for the first request of a connection, and for the rest of one that has begun.
    """

    def __init__(self, config: uvicorn.Config, host: str, port: int, warming: threading.Thread, ending: Ending) -> None:
        super().__init__(config)
        self._ending = ending
        self._address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        self._warming = warming
        # By connection, the request that it has made last, if any, and when it was first seen without another.
        self._silent: dict[object, tuple[object, float]] = {}

    async def on_tick(self, counter: int) -> bool:
        if counter % _TICKS_A_LOOK == 0:
            self._close_silent(time.monotonic())
        return await super().on_tick(counter)

    def _close_silent(self, now: float) -> None:
        silent: dict[object, tuple[object, float]] = {}
        for connection in tuple(self.server_state.connections):
            request = getattr(connection, "cycle", None)
            if request is None or request.response_complete:
                last, since = self._silent.get(connection, (request, now))
                silent[connection] = (request, since if last is request else now)
                if now - silent[connection][1] > HEAD_SECONDS and connection.transport is not None:
                    connection.transport.close()
        self._silent = silent

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(f"Zhice is at {self._address}\n")
            sys.stdout.flush()
            self._warming.start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()  # whoever connects now comes to the process that takes over
        await self._ending.finish(lambda: self.force_exit)
        await super().shutdown(sockets)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        if os.name != "nt":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _add_assets(app: FastAPI) -> None:
    @app.get("/zhice/{name}")
    def static(name: str) -> Response:
        found = assets().get(name)
        if found is None:
            raise HTTPException(404)
        return Response(found[0], media_type=found[1], headers={"Cache-Control": f"public, max-age={YEAR}, immutable"})


def _add_signing_in(app: FastAPI, gate: Gate, audit: Audit) -> None:
    @app.post("/admin/sign-in")
    async def sign_in(request: Request) -> Response:
        language = language_for(request)
        password = (await request.form()).get("password")
        try:
            client = request.client.host if request.client else ""
            token = await run_in_threadpool(gate.sign_in, password if isinstance(password, str) else "", client)
            await run_in_threadpool(audit.record, client, "sign in", session_of(token))
        except WrongPassword:
            await run_in_threadpool(audit.record, client, "sign in", "", "wrong password")
            return JSONResponse({"message": say(language, "wrong_password")}, 401)
        except TooManyTries as error:
            wait = {"Retry-After": str(error.seconds)}
            return JSONResponse({"message": say(language, "wait", seconds=error.seconds)}, 429, wait)
        response = Response(status_code=204)
        response.set_cookie(
            ADMIN_COOKIE,
            token,
            max_age=SIGNED_IN_SECONDS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return response

    @app.post("/admin/sign-out")
    def sign_out(request: Request) -> Response:
        gate.sign_out(request.cookies.get(ADMIN_COOKIE))
        response = Response(status_code=204)
        response.delete_cookie(ADMIN_COOKIE, httponly=True, samesite="strict")
        return response


def _add_notices(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        if for_programs(request.url.path):
            return problem(request.url.path, Refused(error.status_code))
        found = "refused" if error.status_code != 404 else "not_found"
        return notice(language_for(request), f"{found}_title", f"{found}_text", status=error.status_code)

    @app.exception_handler(Refused)
    @app.exception_handler(AssistantError)
    @app.exception_handler(RequestValidationError)
    async def unfit(request: Request, error: Exception) -> Response:
        return problem(request.url.path, refusal_of(error))
