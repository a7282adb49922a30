"""The encoders: the bundled one against sentence-transformers, and any other model behind the same protocol."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from vectorstore.encoder import (
    BUNDLED_MODEL,
    Encoder,
    SentenceTransformerEncoder,
    StaticEncoder,
    load_encoder,
    model_digest,
)
from vectorstore.errors import EncoderUnavailable

TEXTS = [
    "园区管理机构每年最高能拿到多少奖补？",
    "What subsidy does a park manager get?",
    "第三条 对考核为优秀的，给予最高3000万元奖励。",
    "ＡＩ赋能：２０２５年",
    "",
    "\u3000…※！",
    "企业奖励" * 500,  # both sum in float32 and drift apart with length: 1e-5 at 5,000 tokens, which no passage has
]


@pytest.fixture(scope="module")
def bundled() -> Encoder:
    return load_encoder(None)


@pytest.fixture(scope="module")
def tiny_transformer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transformer of one layer with random weights, saved as a sentence-transformers folder."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("transformer")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"园区企业奖补考核"]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), behavior="isolated")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(
        folder / "base"
    )
    config = BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    BertModel(config).save_pretrained(folder / "base")
    transformer = Transformer(str(folder / "base"))
    model = SentenceTransformer(modules=[transformer, Pooling(transformer.get_embedding_dimension())], device="cpu")
    model.save(str(folder / "model"), create_model_card=False)
    return folder / "model"


def test_sentence_transformers_gives_the_same_vectors(bundled: Encoder) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(BUNDLED_MODEL), device="cpu")
    np.testing.assert_allclose(bundled.encode(TEXTS), model.encode(TEXTS), atol=1e-5)


def test_vectors_have_length_one(bundled: Encoder) -> None:
    vectors = bundled.encode(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), bundled.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 1, 0, 0, 1], atol=1e-5)


@pytest.mark.parametrize("text", ["", " \n", "？！", "\ud800", "ᚠᚢᚦ"])
def test_text_without_a_known_token_is_a_row_of_zeros(bundled: Encoder, text: str) -> None:
    assert not bundled.encode([text]).any()


def test_no_texts_give_no_rows(bundled: Encoder) -> None:
    assert bundled.encode([]).shape == (0, bundled.dimension)


def test_a_text_has_one_vector_in_any_company(bundled: Encoder) -> None:
    together = bundled.encode([*TEXTS * 300, "人才"])
    np.testing.assert_array_equal(together[: len(TEXTS)], together[-1 - len(TEXTS) : -1])
    for text, vector in zip([*TEXTS, "人才"], [*together[: len(TEXTS)], together[-1]], strict=True):
        np.testing.assert_allclose(bundled.encode([text])[0], vector, atol=1e-6)


def test_two_loads_agree(bundled: Encoder) -> None:
    np.testing.assert_array_equal(load_encoder().encode(TEXTS), bundled.encode(TEXTS))
    assert load_encoder().name == bundled.name


def test_a_rare_character_does_not_hide_the_words_around_it(bundled: Encoder) -> None:
    plain, with_rare = bundled.encode(["园区管理机构奖励", "园区管理机构𠀀奖励"])
    np.testing.assert_allclose(plain, with_rare, atol=1e-6)


@pytest.mark.parametrize(
    ("question", "near", "far"),
    [
        ("企业能拿多少补贴？", "对符合条件的企业给予一次性补助。", "本条例自公布之日起施行。"),
        ("When is the application deadline?", "申请截止日期为每年三月底。", "园区应当设立安全生产管理机构。"),
    ],
)
def test_related_texts_are_closer(bundled: Encoder, question: str, near: str, far: str) -> None:
    vectors = bundled.encode([question, near, far])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1


def test_name_says_which_weights(bundled: Encoder) -> None:
    assert bundled.name == f"zhice-static-zh-en-v1:{model_digest(BUNDLED_MODEL)[:12]}"


def test_another_tokenizer_makes_another_model(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(BUNDLED_MODEL, folder)
    tokenizer = folder / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert model_digest(folder) != model_digest(BUNDLED_MODEL)


def test_leading_components_are_a_vector_of_their_own(bundled: Encoder) -> None:
    short = StaticEncoder(BUNDLED_MODEL, dimension=64)
    expected = bundled.encode(TEXTS[:2])[:, :64]
    np.testing.assert_allclose(
        short.encode(TEXTS[:2]), expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5
    )
    assert short.dimension == 64
    assert short.name == f"{bundled.name}@64"


@pytest.mark.parametrize("dimension", [0, -1, 1000])
def test_impossible_dimension_is_refused(dimension: int) -> None:
    with pytest.raises(EncoderUnavailable, match=str(dimension)):
        StaticEncoder(BUNDLED_MODEL, dimension=dimension)


def test_damaged_folder_is_named(tmp_path: Path) -> None:
    shutil.copytree(BUNDLED_MODEL, tmp_path / "model")
    (tmp_path / "model" / "model.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0{}      ")
    with pytest.raises(EncoderUnavailable, match="ZHICE_ENCODER"):
        load_encoder(str(tmp_path / "model"))


def test_static_folder_runs_without_torch(tmp_path: Path) -> None:
    program = (
        "import json, sys\n"
        "from vectorstore.encoder import load_encoder\n"
        "load_encoder().encode(['奖补'])\n"
        "load_encoder(sys.argv[1]).encode(['奖补'])\n"
        "print(json.dumps([m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules]))"
    )
    shutil.copytree(BUNDLED_MODEL, tmp_path / "model")
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "model")],
        cwd=BUNDLED_MODEL.parents[2],
        capture_output=True,
        check=True,
        text=True,
    )
    assert json.loads(done.stdout) == []


def test_any_sentence_transformers_model_works(tiny_transformer: Path) -> None:
    encoder = load_encoder(str(tiny_transformer))
    assert isinstance(encoder, SentenceTransformerEncoder)
    assert encoder.name == f"sentence-transformers:{tiny_transformer}"
    vectors = encoder.encode(["园区奖补", "企业考核"])
    assert vectors.shape == (2, encoder.dimension) == (2, 8)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[1], encoder.encode(["企业考核"])[0], atol=1e-5)
    assert encoder.encode([]).shape == (0, 8)


@pytest.mark.parametrize("name", ["nobody/no-such-model", "/no/such/folder"])
def test_model_that_cannot_be_loaded_says_what_to_do(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderUnavailable, match=f"ZHICE_ENCODER={name}.*unset"):
        load_encoder(name)
