"""Allowances: so many times within so many seconds, for each name."""

from __future__ import annotations

from vectorstore.allowances import Allowance


def test_an_allowance_is_spent_and_comes_back() -> None:
    now = 0.0
    allowance = Allowance(2, 60, clock=lambda: now)
    assert [allowance.wait("a"), allowance.wait("a")] == [0, 0]
    now = 10
    assert allowance.wait("a") == 50
    assert allowance.wait("b") == 0
    now = 60
    assert allowance.wait("a") == 0
