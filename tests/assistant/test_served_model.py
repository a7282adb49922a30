"""A server that others wrote, with a model of random weights: what it says is nonsense, and nothing of it is shown."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import Assistant
from assistant.model import ModelSettings
from tests.conftest import PARK, Put
from vectorstore.store import PolicyStore

SECONDS_TO_START = 120
TEMPLATE = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}assistant: "


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal language model of a few thousand random weights, over bytes."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    path = tmp_path_factory.mktemp("model")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: number for number, symbol in enumerate([*alphabet, "<end>"])}
    tokenizer = Tokenizer(models.BPE(vocabulary, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<end>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(path)
    torch.manual_seed(0)
    end = vocabulary["<end>"]
    config = LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=16384, bos_token_id=end, eos_token_id=end, pad_token_id=end,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    model.generation_config.max_new_tokens = 48
    model.save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """`transformers serve` over the model."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "serve.log"
    with log.open("wb") as written:
        server = subprocess.Popen(
            [
                Path(sys.executable).parent / "transformers", "serve", str(folder), "--host", "127.0.0.1",
                "--port", str(port), "--device", "cpu",
            ],
            stdout=written, stderr=subprocess.STDOUT, env={**os.environ, "HF_HOME": str(folder), "HF_HUB_OFFLINE": "1"},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + SECONDS_TO_START
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, log.read_text(errors="replace")[-2000:]
                assert time.monotonic() < deadline, log.read_text(errors="replace")[-2000:]
                time.sleep(0.3)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(timeout=20)


def test_its_nonsense_is_streamed_and_nothing_of_it_is_shown(
    store: PolicyStore, put: Put, folder: Path, url: str
) -> None:
    put("park.txt", PARK)
    with Assistant(store, model=ModelSettings(f"openai:{folder}", base_url=url)) as assistant:
        answer = assistant.ask("园区运营机构每年最高能拿到多少奖励？")
    assert answer.usage["characters_received"] > 0
    assert answer.generator == "extractive"
    assert "最高3000万元" in answer.text
    assert [warning.code for warning in answer.warnings] == ["degraded"]
