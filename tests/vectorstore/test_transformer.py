"""The bundled transformer: the same vectors by onnxruntime and by sentence-transformers, and a search by meaning."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ingest import ingest_paths
from ingest.preparing import prepare
from tests.conftest import PARK, TALENT
from tests.vectorstore.test_encoder import TEXTS
from vectorstore.encoder import BUNDLED_TRANSFORMER, Encoder, OnnxEncoder, load_encoder
from vectorstore.errors import EncoderMismatch, EncoderUnavailable
from vectorstore.fulltext import word_for_word
from vectorstore.rows import missing_vectors
from vectorstore.store import PolicyStore


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("zhice-encoder-zh-en")


def test_sentence_transformers_gives_the_same_vectors(encoder: Encoder, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    # The folder names our module, which sentence-transformers takes for foreign code.
    model = SentenceTransformer(str(BUNDLED_TRANSFORMER), device="cpu", trust_remote_code=True)
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
        encoder="zhice-encoder-zh-en",
        encoding=lambda done, total: told.append((done, total)),
    )
    assert told == [(report.passages, report.passages)]
    store = PolicyStore(tmp_path / "kb", encoder=load_encoder("zhice-encoder-zh-en"))
    with store.catalog.snapshot() as connection:
        assert missing_vectors(connection) == []
    assert store.index_state().indexed == report.passages
    store.close()


def test_its_name_says_which_weights(encoder: Encoder, tmp_path: Path) -> None:
    folder = tmp_path / BUNDLED_TRANSFORMER.name
    shutil.copytree(BUNDLED_TRANSFORMER, folder)
    assert load_encoder(str(folder)).name == encoder.name
    (folder / "model.onnx").write_bytes(b"no model")
    with pytest.raises(EncoderUnavailable, match="ZHICE_ENCODER"):
        load_encoder(str(folder))


def test_it_runs_without_torch() -> None:
    program = (
        "import json, sys\n"
        "from vectorstore.encoder import load_encoder\n"
        "load_encoder('zhice-encoder-zh-en').encode(['奖补'])\n"
        "print(json.dumps([m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=BUNDLED_TRANSFORMER.parents[2], capture_output=True, check=True, text=True
    )
    assert json.loads(done.stdout) == []
