"""Every answer to the seed questions as WeChat gets it; run by `make accept`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from xml.etree import ElementTree

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from assistant import Answer, Assistant, open_assistant
from channels.viewer import viewer
from channels.wechat.messages import Message, text_reply
from channels.wechat.rendering import LARGEST_MARKDOWN, LARGEST_TEXT, Rendering
from evaluation import load_questions
from ingest import ingest_paths
from tests.acceptance.seeds import QUESTIONS, SHARED, needs_seeds
from vectorstore.links import Links

pytestmark = needs_seeds

PUBLIC = "https://policy.example.cn"
LINK = re.compile(r"https://policy\.example\.cn(/s/[A-Za-z0-9]{11})(?![A-Za-z0-9])")


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    data = tmp_path_factory.mktemp("kb")
    ingest_paths([SHARED / "seeds"], data_dir=data)
    with open_assistant(data_dir=data) as opened:
        yield opened


@pytest.fixture(scope="module")
def answers(assistant: Assistant) -> list[Answer]:
    return [assistant.ask(gold.question, history=gold.history) for gold in load_questions(QUESTIONS)]


def test_every_part_is_whole(assistant: Assistant, answers: list[Answer]) -> None:
    rendering = Rendering(Links(assistant.store.catalog), PUBLIC)
    assert len(answers) == 34
    for answer in answers:
        parts = rendering.parts(answer)
        for part in parts:
            assert len(part.encode()) <= LARGEST_TEXT
            reply = ElementTree.fromstring(text_reply(Message("said", "user", "1", "account"), part))
            assert reply.findtext("Content") == part
            assert "�" not in part
        whole = "\n".join(parts)
        assert set(re.findall(r"\[(\d+)\]", answer.text)) <= set(re.findall(r"^\[(\d+)\] 《", whole, re.MULTILINE))
        assert len(LINK.findall(whole)) == len(answer.citations or answer.nearest)
        assert len(rendering.markdown(answer).encode()) <= LARGEST_MARKDOWN


def test_every_link_opens_the_source_at_the_quote(assistant: Assistant, answers: list[Answer]) -> None:
    rendering = Rendering(Links(assistant.store.catalog), PUBLIC)
    app = FastAPI()
    app.include_router(viewer(assistant))
    opened = 0
    with TestClient(app) as client:
        for answer in answers:
            paths = LINK.findall("\n".join(rendering.parts(answer)))
            for path, citation in zip(paths, answer.citations or answer.nearest, strict=True):
                page = client.get(path)
                marked = "".join(
                    unescape(found) for found in re.findall(r"<mark[^>]*>(.*?)</mark>", page.text, re.DOTALL)
                )
                assert page.status_code == 200
                assert "".join(marked.split()) == "".join(citation.quote.split())
                opened += 1
    assert opened > 34
