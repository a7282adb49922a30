from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from assistant import learned
from assistant.assembly import Assistant, open_assistant
from assistant.errors import SettingError
from assistant.ranking import distant_features, near_features
from assistant.reranker import CrossEncoderReranker
from assistant.retrieval import KEPT, RERANKED, facets, retrieve
from assistant.settings import Settings
from tests.conftest import PARK, TALENT, Put
from vectorstore.passage import Match, Metadata, Passage
from vectorstore.store import PolicyStore


def match(region: str | None) -> Match:
    return Match(
        passage_id=1, document_id="d", version=1, passage=Passage(0, 0, 1), metadata=Metadata(region=region),
        source="a.txt", collection="own", lexical=1.0, coverage=0.5, cosine=0.2,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("question", "region", "places", "elsewhere"),
    [
        ("园区有什么奖励？", None, {}, 0.0),
        ("园区有什么奖励？", "青岛市", {"青岛市": 5}, 0.0),
        ("园区有什么奖励？", "青岛市", {"青岛市": 1, "广州市": 3}, 0.75),
        ("青岛的园区有什么奖励？", "青岛市", {"青岛市": 1, "广州市": 3}, 0.0),
        ("广州的园区有什么奖励？", "青岛市", {"青岛市": 5}, 1.0),
    ],
)
def test_a_passage_for_another_place_is_known(
    store: PolicyStore, question: str, region: str | None, places: dict[str, int], elsewhere: float
) -> None:
    query = Assistant(store).understanding.understand(question)
    assert distant_features(query, match(region), places)["elsewhere"] == elsewhere


def test_what_is_said_close_together_is_worth_more(store: PolicyStore, put: Put) -> None:
    put("close.txt", "园区奖励办法\n\n优秀的园区每年奖励3000万元。其他事项另行规定。")
    put("apart.txt", "园区管理办法\n\n优秀由专家评定。材料应当齐全。每年开会。场地自备。园区自治。奖励另行规定。")
    assistant = Assistant(store)
    query = assistant.understanding.understand("优秀的园区每年奖励多少？")
    hits = {hit.source: hit for hit in store.read(store.search(query.search_text, store.scorer(facets(query))))}
    close, apart = near_features(
        query, store.scorer(facets(query)), [hits["close.txt"], hits["apart.txt"]], store.encoder
    )
    assert close["sentence"] > apart["sentence"]
    assert close["neighbours"] > apart["neighbours"]
    assert 0 <= apart["whole"] <= close["whole"] <= 1
    assert near_features(query, store.scorer(facets(query)), [], store.encoder) == []


def test_reading_closely_never_takes_away(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK)
    put("talent.txt", TALENT)
    found = retrieve(store, Assistant(store).understanding.understand("博士的安家补贴是多少？"))
    assert "15万元" in found[0].hit.text
    assert all(item.score >= item.distant for item in found)
    assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)


def test_the_learned_numbers_are_complete(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK)
    assistant = Assistant(store)
    query = assistant.understanding.understand("优秀的园区奖励多少？")
    evidence = retrieve(store, query)
    told = distant_features(query, evidence[0].hit, {})
    close = near_features(query, store.scorer(facets(query)), [evidence[0].hit], store.encoder)[0]
    assert set(learned.distant_ranker().weights) <= set(told)
    assert set(learned.near_ranker().weights) <= set(close)
    answer = assistant.ask("优秀的园区奖励多少？")
    assert 0 < answer.confidence <= 1
    assert json.loads(json.dumps(answer.to_dict()))["confidence"] == round(answer.confidence, 3)


class Backwards:
    """Prefers what the search likes least."""

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        return [float(place) for place in range(len(texts))]


def test_a_reranker_chooses_what_is_read(store: PolicyStore, put: Put) -> None:
    for number in range(KEPT + 5):
        put(f"{number}.txt", f"第{number}号园区奖励办法\n\n第{number}号园区每年奖励{number}万元。")
    query = Assistant(store).understanding.understand("园区每年奖励多少？")
    plain = retrieve(store, query, limit=KEPT)
    chosen = retrieve(store, query, reranker=Backwards())
    assert [item.hit.passage_id for item in chosen] == [item.hit.passage_id for item in plain[::-1][:RERANKED]]


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
        found = assistant.passages(question)
    reranker = CrossEncoderReranker(str(cross_encoder))
    scores = reranker.scores(question, [evidence.hit.text for evidence in found])
    assert [evidence.score for evidence in found] == pytest.approx(scores, abs=1e-5)
    assert scores == sorted(scores, reverse=True)
    assert len(found) == RERANKED
    assert all(0 <= score <= 1 for score in scores)
    assert reranker.scores(question, []) == []


def test_a_reranker_that_cannot_be_loaded_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(SettingError, match=r"ZHICE_RERANKER=/no/such/folder.*unset"):
        CrossEncoderReranker("/no/such/folder")
