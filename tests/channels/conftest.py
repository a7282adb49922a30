"""A small shelf of policies written for these tests, the app over it, and a server and a browser for the page."""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from fastapi import FastAPI

from app import create_app
from assistant.assembly import Assistant
from assistant.settings import Settings
from channels.server import build_app
from channels.wechat import Accounts
from evaluation.scoreboard.browser import CHROMIUM, FLAGS, MISSING
from tests.word_reader import WordReader
from vectorstore.encoder import Encoder, load_encoder
from vectorstore.errors import StoreError, ZhiceError
from vectorstore.keys import Keys
from vectorstore.passage import Document, Heading, Metadata, Passage
from vectorstore.quarantine import Quarantine
from vectorstore.store import PolicyStore
from vectorstore.taken import Taken

if TYPE_CHECKING:
    from playwright.sync_api import Page

OpenPage = Callable[..., "Page"]


@pytest.fixture(scope="package", autouse=True)
def reading() -> Iterator[None]:
    """Channels render answers, whatever they are: in this process a reader that goes by words finds them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assistant.assembly.OnnxPassageReader", WordReader)
        yield


@pytest.fixture(scope="module", autouse=True)
def encoder_in_place(tiny_encoder_in_place: None) -> None:
    """None of these tests is about meaning."""


REWARDS = """云川市产业园区管理机构奖励办法
第一章 总则
第一条 为调动园区管理机构的积极性，制定本办法。
第二章 奖励标准
第五条 对年度考核优秀的园区管理机构，每年给予最高800万元奖补。
考核指标包括主营业务收入、实缴税金和项目开工率。
第六条 申请奖补应当在每年3月31日前提交申请书、营业执照和审计报告。"""

FAIRS = """云川市会展业补贴办法
对在本市举办的专业展览，每场给予最高30万元补贴。
补贴由会展主办单位向市商务局申请。"""

# Markup of every kind that must stay text: in the body, the title and the file name.
HOSTILE_TITLE = "<img src=x onerror=window.hacked=1>办法</title><script>window.hacked=2</script>"
HOSTILE = """<script>window.hacked=3</script>关于海绵城市建设的规定
对建成海绵城市示范项目的单位，每个项目给予最高66万元奖励<img src=x onerror=window.hacked=4>。
"><svg onload=window.hacked=5>[点击](javascript:window.hacked=6) ${window.hacked=7} {{window.hacked=8}}
</mark></blockquote><iframe srcdoc="<script>parent.hacked=9</script>"></iframe>"""
NOTHING_KNOWN = Metadata()
HOSTILE_FILE = '"><img src=x onerror=window.hacked=10>.txt'


@dataclass
class Library:
    """A stand-in for the ingest: every line of a text is a passage; a file named bad.txt cannot be read."""

    store: PolicyStore
    calls: list[tuple[str, str]] = field(default_factory=list)

    def put(
        self,
        source: str,
        text: str,
        metadata: Metadata = NOTHING_KNOWN,
        headings: tuple[str, ...] = (),
        **layout: Any,
    ) -> str:
        marks = tuple(Heading(text.index(line), text.index(line) + len(line), 2) for line in headings)
        document = Document(source, "text/plain", text, headings=marks, metadata=metadata, **layout)
        passages, start, section = [], 0, ()
        for line in text.split("\n"):
            if line in headings:
                section = (line,)
            elif line.strip():
                passages.append(Passage(len(passages), start, start + len(line), section))
            start += len(line) + 1
        digest = hashlib.sha256(text.encode()).hexdigest()
        return self.store.put(document, passages, key=source, sha256=digest).document_id

    def add(self, name: str, file: Path) -> list[Taken]:
        self.calls.append(("add", name))
        if name == "bad.txt":
            raise ZhiceError("It is no text. Save it as UTF-8.")
        if name == "broken.txt":
            raise RuntimeError("a secret detail")
        return [
            Taken(
                name, "added", self.put(name, file.read_text(encoding="utf-8"), Metadata(title=name.rpartition(".")[0]))
            )
        ]

    def read_again(self, document_id: str) -> str:
        self.calls.append(("read_again", document_id))
        return "unchanged"

    def remove(self, document_id: str) -> None:
        self.calls.append(("remove", document_id))
        if self.store.catalog.record(document_id).state == "removed":
            raise StoreError("It is removed already.")
        self.store.remove(document_id)


@dataclass
class Shelf:
    """What a test has to do with: the assistant, the stand-in for the ingest, and the documents' ids."""

    assistant: Assistant
    holdings: Library
    rewards: str
    fairs: str
    hostile: str

    def app(self, password: str | None = None, **options: Any) -> FastAPI:
        async def build() -> FastAPI:
            return build_app(
                self.assistant,
                add_document=self.holdings.add,
                read_again=self.holdings.read_again,
                remove_document=self.holdings.remove,
                admin_password=password,
                quarantine=Quarantine(self.assistant.store.folder),
                **options,
            )

        return built(build)


def built(build: Callable[[], Coroutine[Any, Any, FastAPI]]) -> FastAPI:
    """An app made in an event loop of its own.

    Outside a running event loop Gradio makes loops of its own and never closes them; and Playwright runs one in this
    thread.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(build())).result()


def whole_app(assistant: Assistant, accounts: Accounts | None = None, **settings: Any) -> FastAPI:
    """The app as `zhice serve` puts it together, with everything that programs call and the accounts in WeChat."""

    async def build() -> FastAPI:
        return create_app(assistant, Settings(data_dir=assistant.store.folder, **settings), accounts)

    return built(build)


@pytest.fixture
def new_key(shelf: Shelf) -> Callable[..., str]:
    """Makes keys of a scope for the shelf; each has its own allowance."""
    keys = Keys(shelf.assistant.store.catalog)
    return lambda scope="ask": keys.new("a test", [scope])[1]


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return load_encoder(None)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Shelf]:
    with Assistant(PolicyStore(tmp_path_factory.mktemp("kb"), encoder=encoder)) as assistant:
        library = Library(assistant.store)
        rewards = library.put(
            "rewards.txt",
            REWARDS,
            Metadata(
                title="云川市产业园区管理机构奖励办法",
                issuer="云川市人民政府办公室",
                doc_no="云政办〔2024〕12号",
                published="2024-05-20",
                valid_from="2024-07-01",
                valid_until="2199-06-30",
            ),
            headings=("第一章 总则", "第二章 奖励标准"),
        )
        fairs = library.put(
            "fairs.txt",
            FAIRS,
            Metadata(title="云川市会展业补贴办法", valid_from="2017-01-01", valid_until="2020-12-31"),
        )
        hostile = library.put(HOSTILE_FILE, HOSTILE, Metadata(title=HOSTILE_TITLE, issuer="<b>某局</b>"))
        yield Shelf(assistant, library, rewards, fairs, hostile)


@pytest.fixture(scope="module")
def serving() -> Iterator[Callable[[FastAPI], str]]:
    """Serves an app on a free port of this machine until the module is done; gives its address."""
    running: list[tuple[uvicorn.Server, threading.Thread]] = []

    def serve(app: FastAPI) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        running.append((server, thread))
        give_up = time.monotonic() + 20
        while not server.started and time.monotonic() < give_up:
            time.sleep(0.05)
        assert server.started
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    for server, thread in running:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser; where there is none the tests skip, but never in continuous integration."""
    if not Path(CHROMIUM).exists():
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def open_page(address: str, chromium: Any) -> Iterator[OpenPage]:
    """Opens the page in a fresh browser session; afterwards nothing may have been asked of another host."""
    contexts, asked, problems = [], set(), []

    def opened(
        path: str = "/", *, at: str = address, language: str = "zh-CN", width: int = 1280, **options: Any
    ) -> Page:
        context = chromium.new_context(locale=language, viewport={"width": width, "height": 844}, **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        context.on("request", lambda request: asked.add(urlsplit(request.url).hostname))
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(at + path)
        if path == "/":
            page.locator("#question textarea").wait_for()
            page.wait_for_function("document.querySelector('.masthead')?.dataset.settled")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert asked <= {"127.0.0.1"}
    assert problems == []
