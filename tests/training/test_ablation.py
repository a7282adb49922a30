from __future__ import annotations

from training.ablation import HARD_NEGATIVES, INGREDIENTS, variants


def test_every_ingredient_is_left_out_once() -> None:
    made = {
        name: [("a", "b", "c")] * 2
        for name in ("law_clause", "law_english", "policy_clause", "lay_question_1", "reading", "sentence", "word")
    }
    lines = variants(made)
    assert lines["everything"] == made
    assert len(lines) == len(INGREDIENTS) + 2
    assert "law_clause" not in lines["without laws"]
    assert set(lines["without Chinese turned into English word by word"]) == set(made) - {"law_english"}
    assert set(lines[f"without {HARD_NEGATIVES}"]["reading"]) == {("a", "b")}
    kinds = {kind for some in INGREDIENTS.values() for kind in some}
    assert all(name.startswith(tuple(kinds)) for name in made)
