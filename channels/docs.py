"""What programs can call, described: /openapi.json, and /docs, which shows it without a file from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fastapi import APIRouter, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from channels.problems import for_programs
from channels.templating import render

# Swagger UI 4 knows this version and none later.
_VERSION: Final = "3.0.3"
_FOLDER: Final = "vendor/swagger-ui-4.15.5"
_FILES: Final = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}
_ABOUT: Final = (
    "Questions about policy documents. Every answer can be checked: each claim cites the exact words it stands on. "
    "Errors are JSON: `error` with a stable `code` and a `message`. The same answers can be had as tools of the Model "
    "Context Protocol at `/mcp`."
)


def docs(routers: Sequence[APIRouter]) -> APIRouter:
    """The description of those of these routers' routes that programs call, and of no others."""
    routes = APIRouter(include_in_schema=False)
    described = _as_3_0(
        get_openapi(
            title="Zhice 知策",
            version="1",
            openapi_version=_VERSION,
            description=_ABOUT,
            routes=[
                route
                for router in routers
                for route in router.routes
                if isinstance(route, APIRoute) and for_programs(route.path)
            ],
        )
    )

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return JSONResponse(described)

    @routes.get("/docs")
    def show() -> Response:
        return HTMLResponse(render("docs.html", "en"))

    @routes.get("/docs/{name}")
    def asset(name: str) -> Response:
        if name not in _FILES:
            raise HTTPException(404)
        return Response(_read(name), media_type=_FILES[name], headers={"Cache-Control": "public, max-age=86400"})

    return routes


@cache
def _read(name: str) -> bytes:
    return files("swagger_ui_bundle").joinpath(_FOLDER, name).read_bytes()


def _as_3_0(schema: Any) -> Any:
    """A schema in the words of OpenAPI 3.0, which has no type null, no constants and names files otherwise."""
    if isinstance(schema, list):
        return [_as_3_0(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _as_3_0(value) for name, value in schema.items()}
    if isinstance(found.get("anyOf"), list) and {"type": "null"} in found["anyOf"]:
        kinds = [kind for kind in found.pop("anyOf") if kind != {"type": "null"}]
        found |= {"nullable": True, **({"anyOf": kinds} if len(kinds) > 1 else _plain(kinds[0]))}
    if "const" in found:
        found["enum"] = [found.pop("const")]
    if found.pop("contentMediaType", None):
        found["format"] = "binary"
    return found


def _plain(kind: dict[str, Any]) -> dict[str, Any]:
    """One kind of value; beside a reference nothing else is read, so it stands by itself."""
    return {"allOf": [kind]} if "$ref" in kind else kind
