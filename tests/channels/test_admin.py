"""Signing in: what is let in, what has to wait, what is forgotten."""

from __future__ import annotations

import threading

import pytest

from channels.admin import FREE_TRIES, LONGEST_WAIT, SIGNED_IN_SECONDS, Gate, TooManyTries, WrongPassword, hashed


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_without_a_password_everyone_is_admitted() -> None:
    gate = Gate(None)
    assert not gate.locked
    assert gate.admits(None)


def test_without_a_password_nothing_signs_in() -> None:
    with pytest.raises(WrongPassword):
        Gate(None).sign_in("", "client")


@pytest.mark.parametrize("token", [None, "", "wrong", "秘密"])
def test_with_a_password_only_tokens_are_admitted(token: str | None) -> None:
    gate = Gate("秘密")
    assert not gate.admits(token)
    assert gate.admits(gate.sign_in("秘密", "client"))


def test_the_password_may_be_given_as_its_hash() -> None:
    gate = Gate(hashed("secret"))
    assert gate.admits(gate.sign_in("secret", "a"))
    with pytest.raises(WrongPassword):
        gate.sign_in(hashed("secret"), "b")


def test_a_damaged_hash_lets_nobody_in() -> None:
    with pytest.raises(WrongPassword):
        Gate("$argon2id$v=19$m=1").sign_in("secret", "a")


def test_tries_at_once_are_no_more_than_tries_in_a_row() -> None:
    gate = Gate("secret", clock=Clock())
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


def test_every_token_is_its_own_and_can_be_revoked() -> None:
    gate = Gate("secret")
    first, second = gate.sign_in("secret", "a"), gate.sign_in("secret", "a")
    assert first != second
    gate.sign_out(first)
    assert not gate.admits(first)
    assert gate.admits(second)


def test_a_token_expires() -> None:
    clock = Clock()
    gate = Gate("secret", clock=clock)
    token = gate.sign_in("secret", "a")
    clock.now += SIGNED_IN_SECONDS + 1
    assert not gate.admits(token)


def test_failures_wait_longer_and_longer_and_even_the_right_password_has_to() -> None:
    clock = Clock()
    gate = Gate("secret", clock=clock)
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


def test_one_clients_failures_do_not_keep_another_out() -> None:
    gate = Gate("secret", clock=Clock())
    for _ in range(FREE_TRIES):
        with pytest.raises(WrongPassword):
            gate.sign_in("guess", "a")
    with pytest.raises(TooManyTries):
        gate.sign_in("guess", "a")
    assert gate.admits(gate.sign_in("secret", "b"))
