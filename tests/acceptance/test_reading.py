"""The passage reader alone, over CMRC's development set."""

from __future__ import annotations

from assistant.reading.passage_reader import OnnxPassageReader
from tests.acceptance.seeds import SHARED, needs_seeds
from training.bench.spans import span_scores

pytestmark = needs_seeds


def test_spans_in_their_own_paragraph() -> None:
    scores = span_scores(OnnxPassageReader(), SHARED / "data" / "bench" / "cmrc2018_dev.jsonl.gz")
    print(scores)
    assert scores.questions == 3219
    assert scores.exact >= 0.55
    assert scores.f1 >= 0.77
