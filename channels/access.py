"""Which programs may ask and which may manage: a key in `Authorization: Bearer KEY`, and so many questions a minute."""

from __future__ import annotations

import math
from typing import Final

from starlette.requests import Request

from channels.problems import Refused
from vectorstore.allowances import Allowance
from vectorstore.keys import Keys, digest

QUESTIONS_A_MINUTE: Final = 20


class Access:
    """Asked by every route for itself.

    Args:
        keys: the keys in force; a revoked one is worth nothing from the next request on.
        keyed: asking needs a key, too.
        allowance: how many questions a key may ask, or an address without a valid one.
    """

    def __init__(self, keys: Keys, *, keyed: bool = False, allowance: Allowance | None = None) -> None:
        self.keyed = keyed
        self._keys = keys
        self._allowance = allowance or Allowance(
            QUESTIONS_A_MINUTE, 60, catalog=keys.catalog, what="questions of programs"
        )

    def asks(self, request: Request) -> str:
        """Who asks: the name that `count` takes.

        Raises:
            Refused: a key is needed, and there is none that allows it.
        """
        key = bearer(request)
        if key and "ask" in self._keys.scopes_of(key):
            return digest(key)
        if self.keyed:
            raise Refused(401)
        # Clients of other services send keys of other services; while asking is open they make no difference.
        return request.client.host if request.client else ""

    def manages(self, request: Request) -> str:
        """Who may add documents: the id and the name of the key.

        Raises:
            Refused: no valid key, or none for administrators.
        """
        key = bearer(request)
        scopes = self._keys.scopes_of(key) if key else frozenset()
        if not scopes:
            raise Refused(401)
        if "admin" not in scopes:
            raise Refused(403, "", "This needs a key of the scope admin.")
        return f"key {self._keys.name_of(key)}"

    def count(self, asker: str) -> None:
        """One question more.

        Raises:
            Refused: it is one too many for now.
        """
        wait = math.ceil(self._allowance.wait(asker))
        if wait:
            raise Refused(429, "rate_limit_exceeded", f"Too many questions; ask again in {wait} seconds.", wait=wait)


def bearer(request: Request) -> str:
    """The key that a request carries; empty if there is none."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
