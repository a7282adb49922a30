"""In what order passages are read: what the search says of them, the place they are for, another reranker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.assembly import Assistant, open_assistant
from assistant.errors import SettingError
from assistant.reading.passage_reader import PassageReading, PassageText
from assistant.reranker import CrossEncoderReranker
from assistant.retrieval import FIRST, KEPT, elsewhere, retrieve, search_score
from assistant.settings import Settings
from ingest.preparing import prepare
from tests.conftest import PARK, TALENT, Put
from tests.word_reader import WordReader
from vectorstore.passage import Match, Metadata, Passage
from vectorstore.store import PolicyStore


def match(region: str | None) -> Match:
    return Match(
        passage_id=1, document_id="d", version=1, passage=Passage(0, 0, 1), metadata=Metadata(region=region),
        source="a.txt", collection="own", lexical=1.0, coverage=0.5, cosine=0.2,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("question", "region", "places", "expected"),
    [
        ("园区有什么奖励？", None, {}, 0.0),
        ("园区有什么奖励？", "青岛市", {"青岛市": 5}, 0.0),
        ("园区有什么奖励？", "青岛市", {"青岛市": 1, "广州市": 3}, 0.75),
        ("青岛的园区有什么奖励？", "青岛市", {"青岛市": 1, "广州市": 3}, 0.0),
        ("广州的园区有什么奖励？", "青岛市", {"青岛市": 5}, 1.0),
    ],
)
def test_a_passage_for_another_place_is_known(
    store: PolicyStore, question: str, region: str | None, places: dict[str, int], expected: float
) -> None:
    query = Assistant(store).understanding.understand(question)
    assert elsewhere(query, match(region), places) == expected
    here, there = match(region), replace(match(region), metadata=Metadata())
    assert (search_score(query, here, places) < search_score(query, there, places)) is (expected > 0)


def test_a_passage_whose_vector_is_to_follow_is_found_by_its_words(store: PolicyStore, put: Put) -> None:
    for number in range(KEPT + 10):
        put(f"{number}.txt", f"第{number}号园区管理办法\n\n第{number}号园区的运营机构每年考核一次，考核由专家评定。")
    document, passages = prepare(PARK.encode(), "park.txt")
    store.put(document, passages, key="park.txt", sha256="park", later=True)
    with Assistant(store) as assistant:
        found = assistant.passages("考核优秀的园区运营机构每年奖励多少？")
    assert found[0].hit.source == "park.txt"
    assert "3000万元" in found[0].hit.text
    assert found[0].hit.cosine == max(item.hit.cosine for item in found)


def test_the_rest_is_read_only_while_nothing_is_sure(store: PolicyStore, put: Put) -> None:
    class Counting(WordReader):
        read_at_once: list[int]

        def read(self, question: str, passages: Sequence[PassageText]) -> list[PassageReading]:
            self.read_at_once.append(len(passages))
            return super().read(question, passages)

    for number in range(KEPT + 5):
        put(f"{number}.txt", f"第{number}号园区奖励办法\n\n第{number}号园区每年奖励{number}万元。")
    understanding, reader = Assistant(store).understanding, Counting()
    for question, read in (("园区每年奖励多少？", [FIRST]), ("博士的安家补贴是多少？", [FIRST, KEPT - FIRST])):
        reader.read_at_once = []
        found = retrieve(store, understanding.understand(question), reader)
        assert reader.read_at_once == read
        assert len(found) == KEPT
        assert [item.relevance for item in found] == sorted((item.relevance for item in found), reverse=True)


class Backwards:
    """Prefers what the search likes least."""

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        return [float(place) for place in range(len(texts))]


def test_a_reranker_orders_what_is_read(store: PolicyStore, put: Put) -> None:
    for number in range(KEPT + 5):
        put(f"{number}.txt", f"第{number}号园区奖励办法\n\n第{number}号园区每年奖励{number}万元。")
    query = Assistant(store).understanding.understand("博士的安家补贴是多少？")
    plain = retrieve(store, query, WordReader())
    by_search = sorted(plain, key=lambda item: (-item.score, item.hit.passage_id))
    chosen = retrieve(store, query, WordReader(), reranker=Backwards())
    assert [item.hit.passage_id for item in chosen] == [item.hit.passage_id for item in by_search[::-1]]


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-encoder of 8 dimensions over single characters, with weights as they fall."""
    from sentence_transformers import CrossEncoder
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder = tmp_path_factory.mktemp("cross-encoder")
    characters = sorted(set(PARK + TALENT) - {"\n"})
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]))
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(characters) + 5, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        num_labels=1,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    made = tmp_path_factory.mktemp("saved")
    CrossEncoder(str(folder), num_labels=1).save_pretrained(str(made))
    return made


def test_a_cross_encoder_decides_the_order(cross_encoder: Path, tmp_path: Path) -> None:
    question = "园区管理机构每年最高能拿到多少奖补？"
    with open_assistant(settings=Settings(tmp_path / "kb", reranker=str(cross_encoder))) as assistant:
        found, answer = assistant.passages(question), assistant.ask(question)
    reranker = CrossEncoderReranker(str(cross_encoder))
    scores = reranker.scores(question, [evidence.hit.text for evidence in found])
    assert [evidence.relevance for evidence in found] == pytest.approx(scores, abs=1e-5)
    assert scores == sorted(scores, reverse=True)
    assert not answer.calibrated
    assert all(0 <= score <= 1 for score in scores)
    assert reranker.scores(question, []) == []


def test_a_reranker_that_cannot_be_loaded_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(SettingError, match=r"ZHICE_RERANKER=/no/such/folder.*unset"):
        CrossEncoderReranker("/no/such/folder")
