"""Signing in: what is let in, what has to wait, what is forgotten."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from channels.admin import FREE_TRIES, LONGEST_WAIT, SIGNED_IN_SECONDS, Gate, TooManyTries, WrongPassword, hashed
from vectorstore.catalog import Catalog
from vectorstore.sessions import Sessions
from vectorstore.tries import Tries

GateOf = Callable[..., Gate]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog(tmp_path / "catalog.db")
    yield opened
    opened.close()


@pytest.fixture
def gate_of(catalog: Catalog) -> GateOf:
    """Gates over one catalog."""
    return lambda password, **options: Gate(password, Sessions(catalog), Tries(catalog), **options)


def test_without_a_password_everyone_is_admitted(gate_of: GateOf) -> None:
    gate = gate_of(None)
    assert not gate.locked
    assert gate.admits(None)


def test_without_a_password_nothing_signs_in(gate_of: GateOf) -> None:
    with pytest.raises(WrongPassword):
        gate_of(None).sign_in("", "client")


@pytest.mark.parametrize("token", [None, "", "wrong", "秘密"])
def test_with_a_password_only_tokens_are_admitted(gate_of: GateOf, token: str | None) -> None:
    gate = gate_of("秘密")
    assert not gate.admits(token)
    assert gate.admits(gate.sign_in("秘密", "client"))


def test_the_password_may_be_given_as_its_hash(gate_of: GateOf) -> None:
    gate = gate_of(hashed("secret"))
    assert gate.admits(gate.sign_in("secret", "a"))
    with pytest.raises(WrongPassword):
        gate.sign_in(hashed("secret"), "b")


def test_a_damaged_hash_lets_nobody_in(gate_of: GateOf) -> None:
    with pytest.raises(WrongPassword):
        gate_of("$argon2id$v=19$m=1").sign_in("secret", "a")


def test_tries_at_once_are_no_more_than_tries_in_a_row(gate_of: GateOf) -> None:
    gate = gate_of("secret", clock=Clock())
    outcomes: list[str] = []

    def guess() -> None:
        try:
            gate.sign_in("guess", "a")
        except (WrongPassword, TooManyTries) as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=guess) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 20
    assert outcomes.count("WrongPassword") <= FREE_TRIES


def test_every_token_is_its_own_and_can_be_revoked(gate_of: GateOf) -> None:
    gate = gate_of("secret")
    first, second = gate.sign_in("secret", "a"), gate.sign_in("secret", "a")
    assert first != second
    gate.sign_out(first)
    assert not gate.admits(first)
    assert gate.admits(second)


def test_a_token_expires(gate_of: GateOf) -> None:
    clock = Clock()
    gate = gate_of("secret", clock=clock)
    token = gate.sign_in("secret", "a")
    clock.now += SIGNED_IN_SECONDS + 1
    assert not gate.admits(token)


def test_a_session_outlives_the_process_and_can_be_ended_from_another(gate_of: GateOf, catalog: Catalog) -> None:
    token = gate_of("secret").sign_in("secret", "a")
    other = gate_of("secret")
    assert other.admits(token)
    assert Sessions(catalog).end_all() == 1
    assert not other.admits(token)


def test_a_new_password_ends_the_sessions_of_the_old_one(gate_of: GateOf) -> None:
    token = gate_of("secret").sign_in("secret", "a")
    assert not gate_of("another").admits(token)


def test_the_catalog_never_has_a_token(gate_of: GateOf, catalog: Catalog) -> None:
    token = gate_of("secret").sign_in("secret", "a")
    assert token not in "\n".join(catalog.connection().iterdump())


def test_failures_wait_longer_and_longer_and_even_the_right_password_has_to(gate_of: GateOf) -> None:
    clock = Clock()
    gate = gate_of("secret", clock=clock)
    waits = []
    for _ in range(FREE_TRIES + 12):
        with pytest.raises(WrongPassword):
            gate.sign_in("guess", "a")
        try:
            gate.sign_in("guess", "a")
        except TooManyTries as error:
            waits.append(error.seconds)
            with pytest.raises(TooManyTries):
                gate.sign_in("secret", "a")
            clock.now += error.seconds
        except WrongPassword:
            continue
    assert waits == sorted(waits)
    assert waits[0] <= 5
    assert waits[-1] >= LONGEST_WAIT


def test_one_clients_failures_do_not_keep_another_out(gate_of: GateOf) -> None:
    gate = gate_of("secret", clock=Clock())
    for _ in range(FREE_TRIES):
        with pytest.raises(WrongPassword):
            gate.sign_in("guess", "a")
    with pytest.raises(TooManyTries):
        gate.sign_in("guess", "a")
    assert gate.admits(gate.sign_in("secret", "b"))
