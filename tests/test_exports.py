from __future__ import annotations

import subprocess
import sys

import pytest

import assistant
import evaluation
import ingest
import prompts


@pytest.mark.parametrize("package", [assistant, evaluation, ingest, prompts])
def test_what_a_package_exports_is_there(package: object) -> None:
    assert all(hasattr(package, name) for name in package.__all__)  # type: ignore[attr-defined]


def test_the_way_to_an_answer_imports_nothing_heavy() -> None:
    script = (
        "import sys, assistant\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'gradio', 'chromadb', 'openai', 'jieba', 'docx'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
