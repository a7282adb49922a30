"""Where the seed documents lie, and the marks of the tests that need them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("ZHICE_SHARED", "/nonexistent"))
QUESTIONS = SHARED / "questions" / "seeds_dev.jsonl"

needs_seeds = [
    pytest.mark.seeds,
    pytest.mark.skipif(not QUESTIONS.exists(), reason="needs the seed documents; `make accept` says where they lie"),
]
