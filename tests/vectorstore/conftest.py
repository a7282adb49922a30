"""The tests' own encoder for all but the tests of the bundled one."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", autouse=True)
def encoder_in_place(tiny_encoder_in_place: None) -> None:
    """None of these tests is about meaning."""
