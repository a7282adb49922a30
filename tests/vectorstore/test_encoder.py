"""The encoders: the bundled one, the same by sentence-transformers, and any other model behind the same protocol."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from ingest import ingest_paths
from ingest.preparing import prepare
from tests import tiny_encoder
from tests.conftest import PARK, TALENT
from vectorstore.encoder import BUNDLED_ENCODER, Encoder, OnnxEncoder, SentenceTransformerEncoder, load_encoder
from vectorstore.errors import EncoderMismatch, EncoderUnavailable
from vectorstore.fulltext import word_for_word
from vectorstore.models.session import open_session, open_tokenizer
from vectorstore.rows import missing_vectors
from vectorstore.store import PolicyStore

TEXTS = [
    "园区管理机构每年最高能拿到多少奖补？",
    "What subsidy does a park manager get?",
    "第三条 对考核为优秀的，给予最高3000万元奖励。",
    "ＡＩ赋能：２０２５年",
    "",
    "\u3000…※！",
    "企业奖励" * 500,
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return OnnxEncoder(BUNDLED_ENCODER)


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


def test_sentence_transformers_gives_the_same_vectors(encoder: Encoder, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    # The folder names our module, which sentence-transformers takes for foreign code.
    model = SentenceTransformer(str(BUNDLED_ENCODER), device="cpu", trust_remote_code=True)
    ours = np.stack([encoder.encode([text])[0] for text in TEXTS])
    theirs = np.stack([model.encode_document([text])[0] for text in TEXTS])
    assert (ours * theirs).sum(axis=1).min() >= 0.9999
    assert model.encode_query([TEXTS[0]])[0] @ encoder.encode_query(TEXTS[0]) >= 0.9999
    model.save(str(tmp_path / "copy"), create_model_card=False)
    np.testing.assert_array_equal(OnnxEncoder(tmp_path / "copy").encode(TEXTS), encoder.encode(TEXTS))


def test_vectors_have_length_one_whatever_the_text(encoder: Encoder) -> None:
    vectors = encoder.encode([*TEXTS, "\ud800", " \n", "ᚠᚢᚦ"])
    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS) + 3, encoder.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert encoder.encode([]).shape == (0, encoder.dimension)


def test_a_text_has_nearly_one_vector_in_any_company(encoder: Encoder) -> None:
    # What is multiplied is rounded to eight bits by the largest value of a batch.
    together = encoder.encode(TEXTS * 5)
    for text, vector in zip(TEXTS, together, strict=False):
        assert encoder.encode([text])[0] @ vector > 0.98


@pytest.mark.parametrize(
    ("question", "right"),
    [
        ("管园区的那家单位干得好，一年顶多给多少钱？", 0),
        ("念完博士过来上班，买房子政府贴多少？", 1),
        ("租房子每个月能领几百块，领多久？", 2),
        ("How much does the city chip in when someone with a PhD moves there?", 1),
        ("What's the most the people running a park can get in a year?", 0),
    ],
)
def test_everyday_words_are_nearest_to_what_answers_them(encoder: Encoder, question: str, right: int) -> None:
    passages = encoder.encode(
        [
            "海州市产业园区运营机构奖励办法｜第二条｜对考核优秀的园区运营机构，每年给予最高3000万元奖励。",
            "海州市青年人才安居办法｜第一条｜博士研究生来海州工作的，一次性给予15万元安家补贴。",
            "海州市青年人才安居办法｜第二条｜硕士研究生每月发放800元租房补贴，期限为36个月。",
            "海州市养犬管理条例｜第九条｜携犬出户的，应当由成年人用束犬链牵领。",
        ]
    )
    assert int(np.argmax(passages @ encoder.encode_query(question))) == right


def test_a_store_of_it_is_searched_by_meaning(encoder: Encoder, tmp_path: Path) -> None:
    store = PolicyStore(tmp_path / "kb", encoder=encoder)
    for name, text in {"park.txt": PARK, "talent.txt": TALENT}.items():
        document, passages = prepare(text.encode(), name)
        store.put(document, passages, key=name, sha256=hashlib.sha256(text.encode()).hexdigest(), later=True)
    store.encode_missing()
    question = "念完博士过来上班，买房子政府贴多少？"
    matches = store.search(question, store.scorer(word_for_word(question)))
    best = store.read([max(matches, key=lambda match: match.cosine)])[0]
    assert "15万元" in best.text
    store.close()
    with pytest.raises(EncoderMismatch, match="zhice reindex"):
        PolicyStore(tmp_path / "kb")


def test_an_ingest_makes_the_vectors_of_all_files_together(tmp_path: Path) -> None:
    (tmp_path / "park.txt").write_text(PARK, encoding="utf-8")
    (tmp_path / "talent.txt").write_text(TALENT, encoding="utf-8")
    told: list[tuple[int, int]] = []
    report = ingest_paths(
        [tmp_path / "park.txt", tmp_path / "talent.txt"],
        data_dir=tmp_path / "kb",
        encoder=str(BUNDLED_ENCODER),
        encoding=lambda done, total: told.append((done, total)),
    )
    assert told == [(report.passages, report.passages)]
    store = PolicyStore(tmp_path / "kb", encoder=load_encoder(str(BUNDLED_ENCODER)))
    with store.catalog.snapshot() as connection:
        assert missing_vectors(connection) == []
    assert store.index_state().indexed == report.passages
    store.close()


def test_its_name_says_which_weights(encoder: Encoder, tmp_path: Path) -> None:
    folder = tmp_path / BUNDLED_ENCODER.name
    shutil.copytree(BUNDLED_ENCODER, folder)
    assert load_encoder(str(folder)).name == encoder.name
    (folder / "model.onnx").write_bytes(b"no model")
    with pytest.raises(EncoderUnavailable, match="ZHICE_ENCODER"):
        load_encoder(str(folder))


def test_a_model_is_opened_once_a_process_until_its_file_is_replaced(tmp_path: Path) -> None:
    folder = tiny_encoder.write(tmp_path)
    opened = open_session(folder / "model.onnx")
    assert open_session(folder / "model.onnx") is opened
    assert open_tokenizer(folder / "tokenizer.json", 9) is open_tokenizer(folder / "tokenizer.json", 9)
    shutil.copy(BUNDLED_ENCODER / "model.onnx", folder / "model.onnx")
    assert open_session(folder / "model.onnx") is not opened


def test_it_runs_without_torch() -> None:
    program = (
        "import json, sys\n"
        "from vectorstore.encoder import load_encoder\n"
        "load_encoder().encode(['奖补'])\n"
        "print(json.dumps([m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=BUNDLED_ENCODER.parents[2], capture_output=True, check=True, text=True
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


def test_nothing_is_reported_to_anyone(tmp_path: Path) -> None:
    """onnxruntime collects what it is going to report in a file of the user's cache."""
    code = "from vectorstore.encoder import BUNDLED_ENCODER, OnnxEncoder; OnnxEncoder(BUNDLED_ENCODER).encode(['a'])"
    said = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    home = said | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / ".cache")}
    subprocess.run([sys.executable, "-c", code], check=True, env=home)
    assert not list(tmp_path.rglob("*onnxruntime*"))
