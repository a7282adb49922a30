"""The page while a language model writes: what was found comes first, and stopping ends the request."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from assistant import Assistant
from assistant.model import ModelSettings
from tests.assistant.scripted_model import Prompt, ScriptedModel
from tests.channels.conftest import REWARDS, Library, OpenPage, Shelf
from vectorstore.store import PolicyStore

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
]

QUESTION = "园区管理机构每年最高能拿到多少奖补？"
SENTENCE = "考核优秀的园区管理机构每年可以得到最高800万元奖补"


def slowly(prompt: Prompt) -> str:
    """A right sentence, and then more than anyone waits for."""
    handle = next(handle for handle, said in prompt.evidence.items() if "800万元" in said)
    return f"{SENTENCE}。[{handle}]\n" + "其余条件见办法，" * 500


@pytest.fixture(scope="module")
def address(
    endpoint: ScriptedModel, tmp_path_factory: pytest.TempPathFactory, serving: Callable[[Any], str]
) -> Iterator[str]:
    settings = ModelSettings("openai:scripted", base_url=endpoint.url)
    with Assistant(PolicyStore(tmp_path_factory.mktemp("kb")), model=settings) as assistant:
        library = Library(assistant.store)
        rewards = library.put("rewards.txt", REWARDS)
        yield serving(Shelf(assistant, library, rewards, rewards, rewards).app())


def test_what_was_found_comes_first_and_stopping_ends_the_request(open_page: OpenPage, model: ScriptedModel) -> None:
    model.reply, model.delay, model.pause = slowly, 1.5, 0.02
    page = open_page()
    page.fill("#question textarea", QUESTION)
    page.keyboard.press("Enter")
    turn = page.locator(".turn").last
    expect(turn.locator(".near")).not_to_have_count(0)
    expect(turn).to_contain_text("最高800万元奖补")
    assert model.spoken == []  # the model has not said a word yet
    expect(turn.locator(".said")).to_contain_text(SENTENCE)
    expect(turn.locator(".near")).to_have_count(0)
    expect(turn).to_have_attribute("data-state", "asking")
    page.locator("#stop").click()
    expect(turn).to_have_attribute("data-state", "stopped")
    expect(turn.locator(".said")).to_contain_text(SENTENCE)
    deadline = time.monotonic() + 5
    while model.open_streams and time.monotonic() < deadline:
        time.sleep(0.05)
    assert model.open_streams == 0


def test_a_written_answer_leads_to_its_evidence(open_page: OpenPage, model: ScriptedModel) -> None:
    model.reply = lambda prompt: slowly(prompt).partition("\n")[0]
    page = open_page()
    page.fill("#question textarea", QUESTION)
    page.keyboard.press("Enter")
    turn = page.locator(".turn").last
    expect(turn).to_have_attribute("data-state", re.compile("done"))
    expect(turn.locator(".said")).to_contain_text(SENTENCE)
    turn.locator(".said .marker").first.click()
    expect(page.locator("#evidence mark")).to_contain_text("每年给予最高800万元奖补")
