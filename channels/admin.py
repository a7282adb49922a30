"""Who may manage documents: a password, random tokens for those who gave it, a growing wait for those who did not."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from vectorstore.errors import ZhiceError
from vectorstore.sessions import Sessions
from vectorstore.tries import Tries

ADMIN_COOKIE: Final = "zhice_admin"
SIGNED_IN_SECONDS: Final = 12 * 3600
FREE_TRIES: Final = 3
LONGEST_WAIT: Final = 900
CHECKING: Final = 0.5
"""Seconds for which a client waits while its last try is being checked; a check takes some hundredths."""

# 19 MiB and two passes, as OWASP's Password Storage Cheat Sheet gives for Argon2id.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


class WrongPassword(ZhiceError):
    """The password given is not the password."""


class TooManyTries(ZhiceError):
    """The client has to wait before it may try again; `seconds` says how long."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many tries; try again in {seconds} seconds.")
        self.seconds = seconds


class Gate:
    """Lets administrators in; without a password everyone is one (the server is then bound to this machine).

    A session is kept under a digest that the password is part of: with another password all of them are over.
    """

    def __init__(
        self, password: str | None, sessions: Sessions, tries: Tries, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._hash = hashed(password) if password else None
        self._pepper = hashlib.sha256((password or "").encode()).digest()
        self._sessions = sessions
        self._tries = tries
        self._clock = clock

    @property
    def locked(self) -> bool:
        """Whether a password is needed."""
        return self._hash is not None

    def sign_in(self, password: str, client: str) -> str:
        """A token for the right password; `client` is the address that failures are counted for.

        Raises:
            TooManyTries: the client has to wait, and the password was not looked at.
            WrongPassword: the password is wrong.
        """
        left = self._tries.begin(client, self._clock(), CHECKING)
        if left > 0:
            raise TooManyTries(int(left) + 1)
        right = self._is_right(password)
        now = self._clock()
        if not right:
            count = min(self._tries.failed(client), 30)
            self._tries.wait(client, now, min(2 ** (count - FREE_TRIES), LONGEST_WAIT) if count >= FREE_TRIES else 0)
            raise WrongPassword("That is not the administrator's password.")
        self._tries.succeeded(client)
        token = secrets.token_urlsafe(32)
        self._sessions.begin(self._digest(token), now, now + SIGNED_IN_SECONDS)
        return token

    def _is_right(self, password: str) -> bool:
        try:
            return self._hash is not None and _HASHER.verify(self._hash, password)
        except (VerificationError, InvalidHashError):
            return False

    def admits(self, token: str | None) -> bool:
        """Whether a request that carries this token may manage documents."""
        if self._hash is None:
            return True
        return bool(token) and self._sessions.has(self._digest(str(token)), self._clock())

    def sign_out(self, token: str | None) -> None:
        """The token is worth nothing from now on, in any process."""
        if token:
            self._sessions.end(self._digest(token))

    def _digest(self, token: str) -> str:
        # Tokens are looked up by their digest, so the time of a look-up says nothing about a token.
        return hashlib.blake2b(token.encode(), key=self._pepper, digest_size=32).hexdigest()


def hashed(password: str) -> str:
    """The Argon2id hash of a password; one that is a hash already stays as it is."""
    return password if password.startswith("$argon2id$") else _HASHER.hash(password)


def session_of(token: str | None) -> str:
    """What a session is called in the record of what was done; the token cannot be told from it."""
    return f"session {hashlib.sha256(token.encode()).hexdigest()[:12]}" if token else "this machine"
