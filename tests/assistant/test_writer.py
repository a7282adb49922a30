"""Answers written by a model, over HTTP, with everything that can go wrong."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from assistant import Assistant
from assistant.doctor import examine
from assistant.errors import ModelFault, SettingError
from assistant.model import FAILURES, Breaker, ModelSettings, load_model
from assistant.settings import Settings
from channels.conversation import evidence
from tests.assistant.scripted_model import Prompt, ScriptedModel
from tests.conftest import PARK, TALENT, Put
from vectorstore.store import PolicyStore

QUESTION = "园区运营机构每年最高能拿到多少奖励？"
SENTENCE = "考核优秀的园区运营机构每年最高可以得到3000万元奖励"


def handle_of(prompt: Prompt, words: str) -> str:
    return next(handle for handle, sentence in prompt.evidence.items() if words in sentence)


def right(prompt: Prompt) -> str:
    return f"{SENTENCE}。[{handle_of(prompt, '3000万元')}]\n"


@pytest.fixture
def assistant(store: PolicyStore, put: Put, model: ScriptedModel) -> Iterator[Assistant]:
    put("park.txt", PARK)
    put("talent.txt", TALENT)
    model.reply = right
    settings = ModelSettings(
        "openai:scripted", base_url=model.url, api_key="sk-secret", connect=1, first_token=1.5, whole=4
    )
    opened = Assistant(store, model=settings)
    yield opened
    opened.close()


def test_a_written_sentence_is_shown_with_its_quote(assistant: Assistant, model: ScriptedModel) -> None:
    answer = assistant.ask(QUESTION)
    assert answer.text == f"{SENTENCE}[1]"
    assert answer.status == "answered"
    assert answer.generator == "openai:scripted"
    assert "最高3000万元" in answer.citations[0].quote
    citation = answer.citations[0]
    assert (
        assistant.document_text(citation.document_id, citation.version)[citation.start : citation.end] == citation.quote
    )
    assert answer.warnings == ()
    assert model.keys == ["Bearer sk-secret"]


def test_the_evidence_comes_before_the_first_sentence(assistant: Assistant) -> None:
    snapshots = list(assistant.stream(QUESTION))
    assert snapshots[0].status == "partial"
    assert snapshots[0].evidence
    assert len(evidence(assistant, snapshots[0])) == len(snapshots[0].evidence)
    assert not snapshots[0].claims
    assert snapshots[-1].text == f"{SENTENCE}[1]"
    assert not snapshots[-1].evidence


@pytest.mark.parametrize(
    "said",
    [
        "考核优秀的园区运营机构每年最高可以得到3500万元奖励。[{right}]",
        "考核优秀的园区运营机构每年最高可以得到3亿元奖励。[{right}]",
        "考核优秀的园区运营机构每年可以得到3000万元奖励。[{right}]",
        "考核优秀的园区运营机构每年最高可以得到3500万元奖励。",
        "考核优秀的园区运营机构每年最高可以得到3000万元奖励。[9]",
        "考核优秀的园区运营机构每年最高可以得到3000万元奖励。[{wrong}]",
        "烟台的园区运营机构每年最高可以得到3000万元奖励。[{right}]",
        "对园区运营机构不给予奖励。[{right}]",
        "依据海政发〔2031〕7号，园区运营机构每年最高得到3000万元奖励。[{right}]",
        "Park operators receive up to 3 million yuan a year. [{right}]",
        "园区运营机构每年“最高获得3000万元”奖励。[{right}]",
    ],
)
def test_what_the_source_does_not_bear_out_is_not_shown(assistant: Assistant, model: ScriptedModel, said: str) -> None:
    model.reply = lambda prompt: said.format(right=handle_of(prompt, "3000万元"), wrong=handle_of(prompt, "36个月"))
    answer = assistant.ask(QUESTION)
    assert said.partition("。")[0] not in answer.text
    assert "最高3000万元" in answer.text
    assert answer.generator == "extractive"
    assert [warning.code for warning in answer.warnings] == ["degraded"]


def test_a_bad_sentence_among_good_ones_is_left_out_and_said_so(assistant: Assistant, model: ScriptedModel) -> None:
    model.reply = lambda prompt: right(prompt) + f"奖励每年发放8次。[{handle_of(prompt, '3000万元')}]\n"
    answer = assistant.ask(QUESTION)
    assert answer.text == f"{SENTENCE}[1]"
    assert answer.status == "partial"
    assert [warning.code for warning in answer.warnings] == ["unverified_dropped"]


@pytest.mark.parametrize(
    "fault",
    ["401", "404", "429", "500", "503", "silent", "stalled", "dropped", "empty", "endless", "malformed", "encoding"],
)
def test_every_fault_ends_in_the_sources_words_in_time(assistant: Assistant, model: ScriptedModel, fault: str) -> None:
    model.fault = fault
    if fault == "stalled":
        model.reply = lambda prompt: "考核"
    started = time.monotonic()
    answer = assistant.ask(QUESTION)
    assert time.monotonic() - started < 5
    assert "最高3000万元" in answer.text
    assert [warning.code for warning in answer.warnings] == ["degraded"]
    deadline = time.monotonic() + 3
    while model.open_streams and time.monotonic() < deadline:
        time.sleep(0.02)
    assert model.open_streams == 0


@pytest.mark.parametrize("fault", ["429", "500", "empty", "malformed"])
def test_a_passing_fault_is_tried_once_more(assistant: Assistant, model: ScriptedModel, fault: str) -> None:
    model.fault, model.faults_left = fault, 1
    assert assistant.ask(QUESTION).text == f"{SENTENCE}[1]"
    assert len(model.prompts) == 2


def test_a_model_that_is_not_there_is_said_by_name(store: PolicyStore, put: Put) -> None:
    put("park.txt", PARK)
    settings = ModelSettings("openai:scripted", base_url="http://127.0.0.1:9/v1", connect=1, first_token=1, whole=3)
    with Assistant(store, model=settings) as assistant:
        assert [warning.code for warning in assistant.ask(QUESTION).warnings] == ["degraded"]


def test_an_endpoint_that_keeps_failing_is_left_alone(assistant: Assistant, model: ScriptedModel) -> None:
    model.fault = "401"
    for _ in range(FAILURES + 2):
        assistant.ask(QUESTION)
    assert len(model.prompts) == FAILURES


def test_the_breaker_closes_again() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    for _ in range(FAILURES):
        breaker.check()
        breaker.failed()
    with pytest.raises(ModelFault, match="left alone"):
        breaker.check()
    now[0] += 31
    breaker.check()


def test_leaving_the_stream_ends_the_request(assistant: Assistant, model: ScriptedModel) -> None:
    model.reply = lambda prompt: right(prompt) + "一" * 2000
    model.pause = 0.01
    stream = assistant.stream(QUESTION)
    while not next(stream).claims:
        pass
    stream.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 3
    while model.open_streams and time.monotonic() < deadline:
        time.sleep(0.02)
    assert model.open_streams == 0


def test_a_checked_sentence_is_shown_at_once(assistant: Assistant, model: ScriptedModel) -> None:
    model.reply = lambda prompt: right(prompt) + "补贴由财政拨付，" * 200
    model.pause = 0.01
    snapshots = assistant.stream(QUESTION)
    while not (snapshot := next(snapshots)).claims:
        pass
    shown = time.monotonic()
    assert snapshot.text == f"{SENTENCE}[1]"
    assert shown - model.said_at(f"{SENTENCE}。[") < 0.3
    assert model.open_streams == 1


def test_what_was_asked_of_the_model_is_counted(assistant: Assistant, model: ScriptedModel) -> None:
    answer = assistant.ask(QUESTION)
    sent = sum(len(message["content"]) for message in model.prompts[0].messages)
    assert answer.usage["requests"] == 1
    assert answer.usage["characters_sent"] == sent
    assert answer.usage["characters_received"] == len(right(model.prompts[0]))
    assert (answer.usage["input_tokens"], answer.usage["output_tokens"]) == (sent, len(right(model.prompts[0])))


def test_two_documents_that_disagree_are_shown_beside_each_other(
    store: PolicyStore, put: Put, model: ScriptedModel
) -> None:
    put("park.txt", PARK)
    put("news.txt", PARK.replace("奖励办法", "奖励细则").replace("3000万元", "2000万元"))
    model.reply = right
    with Assistant(store, model=ModelSettings("openai:scripted", base_url=model.url)) as assistant:
        answer = assistant.ask("海州市园区运营机构考核优秀每年最高奖励多少？")
    assert answer.generator == "openai:scripted"
    assert {citation.title for citation in answer.citations} == {
        "海州市产业园区运营机构奖励办法", "海州市产业园区运营机构奖励细则"
    }  # fmt: skip
    (conflict,) = [warning for warning in answer.warnings if warning.code == "conflict"]
    assert "最高3000万元（《海州市产业园区运营机构奖励办法》" in conflict.message
    assert "最高2000万元（《海州市产业园区运营机构奖励细则》" in conflict.message


def test_what_is_sent_is_the_question_and_the_evidence(assistant: Assistant, model: ScriptedModel) -> None:
    assistant.ask(QUESTION)
    sent = model.prompts[0].messages
    assert QUESTION in sent[-1]["content"]
    assert str(assistant.store.folder) not in str(sent)
    assert "sk-secret" not in str(sent)


def test_the_budget_cuts_the_evidence(store: PolicyStore, put: Put, model: ScriptedModel) -> None:
    put("park.txt", PARK)
    put("talent.txt", TALENT)
    settings = ModelSettings("openai:scripted", base_url=model.url, budget=60)
    with Assistant(store, model=settings) as assistant:
        assistant.ask(QUESTION)
    assert 1 <= len(model.prompts[0].evidence) <= 3


def test_a_refusing_model_leaves_the_sources_words(assistant: Assistant, model: ScriptedModel) -> None:
    model.reply = lambda prompt: "NO_BASIS"
    assert "最高3000万元" in assistant.ask(QUESTION).text


def test_without_evidence_no_model_is_asked(assistant: Assistant, model: ScriptedModel) -> None:
    assert assistant.ask("木星有多少颗卫星？").status == "not_found"
    assert model.prompts == []


def test_the_key_is_never_shown(assistant: Assistant, model: ScriptedModel, caplog: pytest.LogCaptureFixture) -> None:
    model.fault = "echo"  # a gateway that repeats the key in its refusal, and what was asked
    with caplog.at_level(logging.DEBUG):
        answer = assistant.ask(QUESTION)
    told = next(record.message for record in caplog.records if "refused the request" in record.message)
    assert "bad key" in told
    assert QUESTION not in told
    assert model.keys == ["Bearer sk-secret"]
    assert "sk-secret" not in caplog.text + repr(answer) + repr(ModelSettings("openai:scripted", api_key="sk-secret"))


@pytest.mark.parametrize(
    ("name", "problem"),
    [("scripted", "give provider and model"), ("anthropic:claude", "langchain-anthropic"), ("nobody:x", "nobody")],
)
def test_a_model_that_cannot_be_set_up_says_what_to_do(name: str, problem: str) -> None:
    with pytest.raises(SettingError, match=problem):
        load_model(ModelSettings(name))


def test_nothing_of_a_provider_is_imported_before_it_is_needed(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = "import sys, assistant; print([name for name in sys.modules if name.startswith(('openai', 'langchain_openai', 'langchain.'))])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


@pytest.mark.parametrize(
    ("fault", "good", "words"),
    [
        ("", True, "answered after"),
        ("401", False, "ZHICE_API_KEY"),
        ("404", False, "ZHICE_MODEL"),
        ("500", False, "HTTP 500"),
        ("context", False, "ZHICE_MODEL_TOKENS"),
    ],
)
def test_the_doctor_asks_the_endpoint(model: ScriptedModel, tmp_path: Path, fault: str, good: bool, words: str) -> None:
    model.fault, model.reply = fault, lambda prompt: "OK"
    settings = Settings(
        tmp_path / "kb", model=ModelSettings("openai:scripted", base_url=model.url, api_key="sk-secret")
    )
    found = next(finding for finding in examine(settings) if finding.subject == "language model")
    assert found.good is good
    assert words in found.detail
    assert "sk-secret" not in found.detail


README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
CONFIGURATIONS = re.findall(r"^\| ([^|]+) \| `pip install 'zhice\[\w+\]'` \| (.+) \|$", README, re.MULTILINE)


def test_the_readme_names_three_configurations() -> None:
    assert len(CONFIGURATIONS) == 3


@pytest.mark.parametrize(("endpoint_name", "cell"), CONFIGURATIONS)
def test_the_readmes_configurations_work(
    store: PolicyStore, put: Put, model: ScriptedModel, endpoint_name: str, cell: str
) -> None:
    put("park.txt", PARK)
    model.reply = right
    environ = dict(re.findall(r"`(ZHICE_\w+)=([^`]+)`", cell))
    environ["ZHICE_BASE_URL"] = model.url.removesuffix("/v1") + urlsplit(environ["ZHICE_BASE_URL"]).path
    settings = Settings.from_environ(environ, data_dir="kb").model
    with Assistant(store, model=settings) as assistant:
        answer = assistant.ask(QUESTION)
    assert answer.text == f"{SENTENCE}[1]", endpoint_name
    assert answer.generator == environ["ZHICE_MODEL"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://no-such-host.invalid/v1", "host of http://no-such-host.invalid/v1 is not known"),
        ("https://127.0.0.1:{port}/v1", "certificate"),  # a server that does not speak TLS
        ("http://127.0.0.1:9/v1", "cannot be reached"),
    ],
)
def test_the_doctor_says_why_an_endpoint_is_not_reached(
    endpoint: ScriptedModel, tmp_path: Path, address: str, words: str
) -> None:
    url = address.format(port=urlsplit(endpoint.url).port)
    settings = Settings(tmp_path / "kb", model=ModelSettings("openai:scripted", base_url=url, connect=2))
    found = next(finding for finding in examine(settings) if finding.subject == "language model")
    assert not found.good
    assert words in found.detail


def test_the_model_is_set_by_the_environment() -> None:
    environ = {
        "ZHICE_MODEL": "openai:m",
        "ZHICE_BASE_URL": "http://h/v1",
        "ZHICE_API_KEY": "k",
        "ZHICE_MODEL_WHOLE": "9.5",
    }
    model = Settings.from_environ(environ, data_dir="kb").model
    assert model == ModelSettings("openai:m", base_url="http://h/v1", api_key="k", whole=9.5)
    assert Settings.from_environ({}, data_dir="kb").model is None
    with pytest.raises(SettingError, match="ZHICE_MODEL_WHOLE"):
        Settings.from_environ({**environ, "ZHICE_MODEL_WHOLE": "soon"}, data_dir="kb")
    with pytest.raises(SettingError, match="ZHICE_MODEL_TOKENS"):
        Settings.from_environ({**environ, "ZHICE_MODEL_TOKENS": "-5"}, data_dir="kb")
