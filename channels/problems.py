"""What programs are told when a request is not answered: JSON in the shape of their protocol, and no details."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse

from assistant.errors import AssistantError, Busy, EmptyQuestion, QuestionTooLong
from vectorstore.errors import ZhiceError

logger = logging.getLogger(__name__)

_PROGRAMS: Final = re.compile(r"/(?:api|v1|mcp)(?:/.*)?|/healthz|/readyz|/metrics")
_SAID: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad_request", "The body cannot be read; send what the documentation at /docs describes."),
    401: ("invalid_api_key", "This needs a valid key: Authorization: Bearer KEY. `zhice keys new` makes one."),
    403: ("forbidden", "This request is not allowed."),
    404: ("not_found", "There is nothing at this address; /docs lists what there is."),
    405: ("method_not_allowed", "This address does not take this method; /docs lists what there is."),
    408: ("timeout", "The body took too long to arrive."),
    411: ("length_required", "Say how long the body is: send Content-Length."),
    413: ("too_large", "The request is too large."),
    421: ("wrong_host", "Without ZHICE_ADMIN_PASSWORD this server answers to this machine's own names only."),
    422: ("invalid_request", "The request has fields that cannot be used."),
    499: ("client_gone", "The client has gone."),
    500: ("internal_error", "The server could not complete this request, and its log says why."),
    503: ("unavailable", "The server cannot take this request now; try again in a moment."),
    504: ("too_slow", "The answer took too long, and was given up; try again, or ask for less at once."),
}
# JSON-RPC's codes for a request that is not valid and for a failure of the server.
_INVALID_REQUEST, _INTERNAL_ERROR = -32600, -32603
_TOLD_FIELDS: Final = 5


class Refused(Exception):
    """A program's request is not answered.

    `status` is HTTP's, `code` stable, `wait` the seconds after which trying again helps, `allow` the methods that
    the address does take.
    """

    def __init__(
        self, status: int, code: str = "", message: str = "", *, wait: int = 0, allow: Sequence[str] = ()
    ) -> None:
        known = _SAID.get(status, _SAID[400 if status < 500 else 500])
        self.status = status
        self.code = code or known[0]
        self.message = message or known[1]
        self.wait = wait
        self.allow = allow
        super().__init__(self.message)


def for_programs(path: str) -> bool:
    """Whether programs call this address, and want JSON whatever happens."""
    return _PROGRAMS.fullmatch(path) is not None


def problem(path: str, refused: Refused) -> JSONResponse:
    """The response that says so, as the protocol at this address has it."""
    headers = {}
    status = 400 if path.startswith("/v1") and refused.status == 422 else refused.status
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if refused.wait:
        headers["Retry-After"] = str(refused.wait)
    if refused.allow:
        headers["Allow"] = ", ".join(refused.allow)
    return JSONResponse(body(path, refused), status, headers)


def body(path: str, refused: Refused) -> dict[str, Any]:
    """`{"error": {"code", "message"}}`; with OpenAI's further fields under /v1, as JSON-RPC under /mcp."""
    # A client's own words can be in the message, and may be no valid text.
    message = refused.message.encode("utf-8", "replace").decode()
    if path.startswith("/mcp"):
        code = _INVALID_REQUEST if refused.status < 500 else _INTERNAL_ERROR
        return {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
    if path.startswith("/v1"):
        kind = {403: "permission_error", 429: "rate_limit_error"}.get(
            refused.status, "invalid_request_error" if refused.status < 500 else "server_error"
        )
        return {"error": {"message": message, "type": kind, "param": None, "code": refused.code}}
    return {"error": {"code": refused.code, "message": message}}


def refusal_of(error: Exception) -> Refused:
    """What a failure is called outside; only a message about the request itself goes out."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, EmptyQuestion):
        return Refused(422, "empty_question", str(error))
    if isinstance(error, QuestionTooLong):
        return Refused(413, "question_too_long", str(error))
    if isinstance(error, Busy):
        return Refused(503, "overloaded", str(error), wait=error.wait)
    if isinstance(error, AssistantError):
        return Refused(422, "", str(error))
    if isinstance(error, RequestValidationError):
        return _unfit(error.errors())
    logger.error("a program's request failed", exc_info=error)
    return Refused(503 if isinstance(error, ZhiceError) else 500)


def _unfit(errors: Sequence[Mapping[str, Any]]) -> Refused:
    if any(error["type"] == "json_invalid" for error in errors):
        return Refused(400, "invalid_json", "The body is no JSON.")
    told = [f"{_place(error['loc'])}: {error['msg']}" for error in errors[:_TOLD_FIELDS]]
    return Refused(422, "", "; ".join(told))


def _place(location: Sequence[object]) -> str:
    """Where in the body, without the names of the checks that pydantic puts between."""
    return ".".join(str(part)[:50] for part in location[1:] if not set("[(") & set(str(part))) or "body"
