"""A conversation's turns: what history a question gets, how failures look, what surrounds a quote."""

from __future__ import annotations

import re
from typing import Any

import pytest

from channels import conversation, markup
from channels.conversation import CONTEXT_CHARACTERS, Turn, Turns
from vectorstore.errors import ZhiceError
from vectorstore.passage import Metadata

QUESTION = "园区管理机构每年最高能拿到多少奖补？"


def last(assistant: Any, turns: Turns, question: str) -> Turns:
    *_, final = conversation.ask(assistant, turns, question, "zh")
    return final


def test_an_answer_grows_from_asking_to_done(shelf: Any) -> None:
    steps = list(conversation.ask(shelf.assistant, (), f"  {QUESTION}\n", "zh"))
    assert [step[-1].state for step in steps] == ["asking"] * (len(steps) - 1) + ["done"]
    assert steps[0][-1].answer is None
    assert steps[-1][-1].question == QUESTION
    assert [item.citation for item in steps[-1][-1].evidence] == list(steps[-1][-1].answer.citations)


def test_the_questions_before_are_the_history(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []
    whole = shelf.assistant.stream

    def stream(question: str, *, history: list[str], **options: Any) -> Any:
        given.append(list(history))
        return whole(question, history=history, **options)

    monkeypatch.setattr(shelf.assistant, "stream", stream)
    turns = last(shelf.assistant, last(shelf.assistant, (), QUESTION), "那考核指标有哪些？")
    turns = (*turns, Turn("失败的问题", "failed"))
    last(shelf.assistant, turns, "还有呢？")
    assert given == [[], [QUESTION], [QUESTION, "那考核指标有哪些？"]]


def test_a_failure_ends_the_turn_and_keeps_the_conversation(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = last(shelf.assistant, (), QUESTION)
    for error, said in (
        (ZhiceError("Free some disk space."), "Free some disk space."),
        (OSError("secret"), "没有答成"),
    ):

        def fail(*_: Any, error: Exception = error, **__: Any) -> Any:
            raise error

        monkeypatch.setattr(shelf.assistant, "stream", fail)
        after = last(shelf.assistant, before, "下一个问题？")
        assert after[:-1] == before
        assert after[-1].state == "failed"
        assert said in after[-1].problem
        assert "secret" not in markup.conversation(after, "zh")


def test_stopping_ends_only_a_turn_that_is_being_answered() -> None:
    assert conversation.stopped(()) == ()
    done = (Turn("a", "done"),)
    assert conversation.stopped(done) == done
    assert conversation.stopped((*done, Turn("b"))) == (*done, Turn("b", "stopped"))


def test_evidence_is_the_quote_within_its_surroundings(shelf: Any) -> None:
    text = "前" * 500 + "。这一句之前。每个示范站给予最高12万元氢能补助。这一句之后。" + "后" * 500
    shelf.holdings.put("hydrogen.txt", text, Metadata(title="云川市氢能办法"))
    (turn,) = last(shelf.assistant, (), "氢能示范站最高补助多少？")
    (item, *_) = turn.evidence
    assert item.exact
    assert item.link.endswith("#quote")
    around = item.before.strip("…") + item.citation.quote + item.after.strip("…")
    assert around in text
    assert len(item.before) <= CONTEXT_CHARACTERS + 1
    assert item.before.startswith("…")
    assert item.after.endswith("…")


def test_lines_tell_the_figure_and_the_quote_from_the_words_between(shelf: Any) -> None:
    (turn,) = last(shelf.assistant, (), QUESTION)
    (line, *_) = markup.lines(turn.answer)
    kinds = {kind: text for text, kind in line.pieces}
    assert kinds["figure"] == "最高800万元"
    assert "每年给予最高800万元奖补" in kinds["verbatim"]
    assert line.markers == (1,)
    assert "".join(text for text, _ in line.pieces) == " ".join(turn.answer.claims[0].text.split())


def test_a_citation_whose_quote_is_not_in_its_place_is_shown_as_wrong(shelf: Any) -> None:
    from dataclasses import replace

    (turn,) = last(shelf.assistant, (), QUESTION)
    forged = replace(turn.answer, citations=(replace(turn.answer.citations[0], quote="每年给予最高900万元奖补"),))
    (item,) = conversation.evidence(shelf.assistant, forged)
    assert not item.exact
    shown = markup.conversation((replace(turn, answer=forged, evidence=(item,)),), "zh")
    assert "引文与原文不符" in shown


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_answer_marker_leads_to_its_evidence(shelf: Any, language: Any) -> None:
    turns = last(shelf.assistant, last(shelf.assistant, (), QUESTION), "专业展览每场最高补贴多少？")
    page = markup.conversation(turns, language)
    targets = re.findall(r'data-evidence="([^"]+)"', page)
    assert targets
    assert all(page.count(f'id="{target}"') == 1 for target in targets)
    links = re.findall(r'class="marker" href="([^"]+)"', page)
    assert all(link.startswith("/d/") and link.endswith("#quote") for link in links)


def test_a_bar_shows_how_many_files_of_an_upload_are_read() -> None:
    done = [markup.Outcome("park.txt", good=True, message="added")]
    assert '<progress max="3" value="1"' in markup.outcomes(done, "en", reading="Reading 2 of 3: talent.txt", total=3)
    assert "<progress" not in markup.outcomes(done, "en")
