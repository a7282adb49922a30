"""Page and viewer as one ASGI app, and the server that runs it."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from assistant.assembly import Assistant
from channels.admin import ADMIN_COOKIE, SIGNED_IN_SECONDS, Gate, TooManyTries, WrongPassword
from channels.guard import Guard
from channels.shelf import Shelf
from channels.templating import assets
from channels.texts import say
from channels.viewer import language_for, notice, viewer

logger = logging.getLogger(__name__)

YEAR: Final = 365 * 24 * 3600


def build_app(
    assistant: Assistant,
    *,
    add_document: Callable[[str, bytes], tuple[str, str]],
    read_again: Callable[[str], str],
    remove_document: Callable[[str], None],
    admin_password: str | None,
) -> FastAPI:
    """The page at `/`, the source viewer at `/d/{document_id}`, signing in and out, static files.

    Args:
        assistant: answers the questions.
        add_document: takes a file name and bytes; gives ("added", "updated" or "unchanged", document id).
        read_again: reads a document's file again; gives the outcome likewise.
        remove_document: takes a document out of search.
        admin_password: guards the three above; without one, only requests to this machine's own names are answered.
    """
    uploads = tempfile.mkdtemp(prefix="zhice-")
    # Read by Gradio when it is imported and when it builds its app: nothing is reported, uploads are ours alone.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = uploads
    from channels.page import mount_page

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        shutil.rmtree(uploads, ignore_errors=True)

    gate = Gate(admin_password)
    app = FastAPI(title="Zhice", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.include_router(viewer(assistant))
    _add_assets(app)
    _add_signing_in(app, gate)
    _add_notices(app)
    mount_page(app, assistant, Shelf(assistant, gate, add_document, read_again, remove_document))
    app.add_middleware(Guard, gate=gate)
    return app


def serve(app: FastAPI, assistant: Assistant, *, host: str, port: int) -> int:
    """Run until told to stop; the exit code: 0, or 1 when the address cannot be used."""
    try:
        listener = _listen(host, port)
    except OSError as error:
        sys.stderr.write(
            f"zhice: {host}:{port} cannot be used: {error.strerror}. "
            "Stop what is using it, or choose another port with ZHICE_PORT.\n"
        )
        return 1
    warming = threading.Thread(target=assistant.warm_up, name="warm-up", daemon=True)
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
    if threading.current_thread() is threading.main_thread():
        # uvicorn raises the signal again once it has stopped; by then there is nothing left to do.
        signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        _Announcing(config, host, listener.getsockname()[1], warming).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()
        if warming.ident is not None:
            warming.join(timeout=10)
    return 0


class _Announcing(uvicorn.Server):
    """Says where it listens once it does, and only then starts what can wait."""

    def __init__(self, config: uvicorn.Config, host: str, port: int, warming: threading.Thread) -> None:
        super().__init__(config)
        self._address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        self._warming = warming

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(f"Zhice is at {self._address}\n")
            sys.stdout.flush()
            self._warming.start()


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


def _add_signing_in(app: FastAPI, gate: Gate) -> None:
    @app.post("/admin/sign-in")
    async def sign_in(request: Request) -> Response:
        language = language_for(request)
        password = (await request.form()).get("password")
        try:
            token = gate.sign_in(
                password if isinstance(password, str) else "", request.client.host if request.client else ""
            )
        except WrongPassword:
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
    async def refused(request: Request, error: HTTPException) -> HTMLResponse:
        found = "refused" if error.status_code != 404 else "not_found"
        return notice(language_for(request), f"{found}_title", f"{found}_text", status=error.status_code)
