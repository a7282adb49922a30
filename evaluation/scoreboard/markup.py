"""Line 11: markup in texts, titles, file names and questions, looked at in a browser; none runs, none asks outside."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from evaluation.scoreboard.browser import CHROMIUM, FLAGS, MISSING
from evaluation.scoreboard.line import Line
from evaluation.scoreboard.payloads import payloads
from evaluation.scoreboard.served import serving
from vectorstore.links import Links
from vectorstore.passage import Document, Metadata, Passage
from vectorstore.store import PolicyStore

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

QUICK_STEP: Final = 25  # in the quick form every so many payloads
# A session may ask twenty times a minute.
A_SESSION: Final = 15
IN_A_QUESTION: Final = 3  # payloads, so that asking them all takes a minute
FORMS: Final = 10  # documents whose form for corrections is opened
PATIENCE: Final = 20_000  # milliseconds for something to appear
# Of what is written into a page raw, at least so much has to run for the payloads to be worth anything; some wait for
# a click, and some are for a template that there is not.
ENOUGH: Final = 0.6
CONTROL_SECONDS: Final = 3.0
QUICK_CONTROL_SECONDS: Final = 1.5
# Names of hosts lead nowhere, so that what is asked of one is seen and goes nowhere.
NO_NAMES: Final = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"

_TOP: Final = "<script>window.hits=[];Object.defineProperty(window,'hacked',{set(n){hits.push(n)}})</script>"


class Seen:
    """What pages did that they must not: scripts that ran, dialogs, requests to other hosts."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.asked: list[str] = []
        self.looked = 0

    @contextmanager
    def page(self, browser: Browser) -> Iterator[Page]:
        """A page in a session of its own, watched."""
        context = browser.new_context(locale="zh-CN")
        context.set_default_timeout(PATIENCE)
        context.on("request", lambda request: self._request(request.url))
        page = context.new_page()
        page.on("dialog", self._dialog)
        try:
            yield page
        finally:
            context.close()

    @contextmanager
    def trying(self, what: str) -> Iterator[None]:
        """A page that markup has broken does not show what is waited for, which is a fault like any other."""
        from playwright.sync_api import Error

        try:
            yield
        except Error as error:
            self.ran.append(f"{what} were not all shown: {error.message.splitlines()[0]}")

    def look(self, page: Page, where: str) -> None:
        """Whether a payload has run in what the page shows now."""
        self.looked += 1
        if (number := page.evaluate("window.hacked")) is not None:
            self.ran.append(f"payload {number} ran in {where}")
            page.evaluate("delete window.hacked")

    def _request(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.hostname != "127.0.0.1":
            self.asked.append(f"{parts.hostname} was asked for {parts.path}")

    def _dialog(self, dialog: Any) -> None:
        self.ran.append("a dialog was opened")
        dialog.dismiss()


def run(work: Path, *, quick: bool) -> Line:
    """All 200 payloads, in the quick form 8."""
    started = time.perf_counter()
    test = "200 pieces of markup through text, file name, title and question, in a real browser"
    if not Path(CHROMIUM).exists() or find_spec("playwright") is None:
        return Line(11, test, "", "", False, time.perf_counter() - started, MISSING)
    from playwright.sync_api import sync_playwright

    tried = payloads()[:: QUICK_STEP if quick else 1]
    codes, documents = _furnish(work / "kb", tried)
    seen = Seen()
    with sync_playwright() as playwright, serving(work / "kb", ZHICE_SAMPLES="0") as server:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, NO_NAMES])
        hits = control(browser, tried, QUICK_CONTROL_SECONDS if quick else CONTROL_SECONDS)
        with seen.trying("the answers"):
            _ask(seen, browser, server.address, tried)
        with seen.trying("the documents"):
            _manage(seen, browser, server.address, len(tried))
        with seen.trying("the sources"):
            _read(seen, browser, server.address, _sources(codes, documents))
        browser.close()
    wrong = seen.ran + seen.asked
    passed = not wrong and hits >= ENOUGH * len(tried)
    return Line(
        11,
        test,
        f"{len(tried)} payloads, each in a document's text, title, issuer and file name and in a question; looked at in the answer, "
        "the evidence, the list of documents, the form for corrections, the viewer, under the short link, what changed, and "
        "/docs; the same ones raw in a page without a policy as a control",
        f"{len(seen.ran)} ran, {len(seen.asked)} requests to other hosts, in {seen.looked} looks; of the control's {len(tried)}, "
        f"{hits} ran or asked" + "".join(f"; {each} ({count} x)" for each, count in Counter(wrong).most_common(3)),
        passed,
        time.perf_counter() - started,
    )


def _furnish(data: Path, tried: Sequence[str]) -> tuple[list[str], list[str]]:
    """A document for each payload, in two versions; the codes of short links into them, and their ids."""
    codes, documents = [], []
    store = PolicyStore(data)
    try:
        with store.writing():
            for number, payload in enumerate(tried):
                for edition in (1, 2):
                    text = f"第一条 对第{number}号标记项目第{edition}版给予最高{number + 10}万元奖励{payload}。"
                    metadata = Metadata(
                        title=f"第{number}号标记项目办法{payload}", issuer=f"某局{payload}", kind=f"办法{payload}"
                    )
                    document = Document(f"{payload}.txt", "text/plain", text, metadata=metadata)
                    digest = hashlib.sha256(text.encode()).hexdigest()
                    passages = (Passage(0, 0, len(text)),)
                    record = store.put(document, passages, key=f"upload:{number}", sha256=digest)
                documents.append(record.document_id)
                codes.append(Links(store.catalog).code(record.document_id, record.version, 0, len(text)))
            store.refresh_index()
    finally:
        store.close()
    return codes, documents


def _ask(seen: Seen, browser: Browser, address: str, tried: Sequence[str]) -> None:
    """Ask about every third document, with three payloads in the question, and open the evidence."""
    asked = list(range(0, len(tried), IN_A_QUESTION))
    for start in range(0, len(asked), A_SESSION):
        with seen.page(browser) as page:
            page.goto(address)
            page.locator("#question textarea").wait_for()
            page.wait_for_function("document.querySelector('.masthead')?.dataset.settled")
            for turn, number in enumerate(asked[start : start + A_SESSION], start=1):
                page.fill(
                    "#question textarea",
                    f"第{number}号标记项目最高奖励多少？{' '.join(tried[number : number + IN_A_QUESTION])}",
                )
                page.keyboard.press("Enter")
                page.wait_for_function(
                    "count => {const turns = document.querySelectorAll('.turn'); return turns.length == count"
                    " && /done|failed/.test(turns[count - 1].dataset.state)}",
                    arg=turn,
                )
                marker = page.locator(".turn").last.locator(".said .marker")
                if marker.count():
                    marker.first.click()
                    page.locator("#evidence mark").first.wait_for()
                seen.look(page, f"the answer about document {number}")


def _manage(seen: Seen, browser: Browser, address: str, documents: int) -> None:
    """The list of documents, and the form for corrections of some."""
    with seen.page(browser) as page:
        page.goto(address)
        page.wait_for_function("document.querySelector('.masthead')?.dataset.settled")
        page.get_by_role("tab", name="文件").click()
        page.locator(".documents tr", has_text="号标记项目办法").nth(documents - 1).wait_for()
        seen.look(page, "the list of documents")
        buttons = page.locator(".documents button[data-act=correct]")
        for number in range(0, documents, max(1, documents // FORMS)):
            buttons.nth(number).click()
            page.get_by_role("dialog", name="更正信息").wait_for()
            seen.look(page, "a form for corrections")
            page.keyboard.press("Escape")
            page.get_by_role("dialog", name="更正信息").wait_for(state="hidden")


def _sources(codes: Sequence[str], documents: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What a page is, and its path."""
    yield "the documentation", "/docs"
    for code, document in zip(codes, documents, strict=True):
        yield "the viewer", f"/d/{document}"
        yield "what changed", f"/d/{document}/changes"
        yield "a short link", f"/s/{code}"


def _read(seen: Seen, browser: Browser, address: str, sources: Iterator[tuple[str, str]]) -> None:
    with seen.page(browser) as page:
        for where, path in sources:
            reply = page.goto(address + path)
            if reply is None or not reply.ok:
                seen.ran.append(f"{where} was not shown")
            seen.look(page, where)


def control(browser: Browser, tried: Sequence[str], seconds: float) -> int:
    """How many of the payloads run or ask when they stand raw in a page without a policy, each in a frame of its own."""
    seen = Seen()
    with raw(tried) as address, seen.page(browser) as page:
        page.goto(address)
        page.wait_for_timeout(seconds * 1000)
        ran = {int(number) for number in page.evaluate("hits")}
    return len(ran | {int(asked.rpartition("/")[2]) for asked in seen.asked if asked.rpartition("/")[2].isdecimal()})


@contextmanager
def raw(tried: Sequence[str]) -> Iterator[str]:
    """A server of this machine with a page that holds each payload in a frame; its address."""
    pages = [f"<!doctype html><title>{number}</title><body>{each}" for number, each in enumerate(tried)]
    frames = "".join(f'<iframe src="/{number}"></iframe>' for number in range(len(tried)))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = self.path.strip("/")
            known = number.isdecimal() and int(number) < len(pages)
            self.send_response(200 if known or not number else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            if known or not number:
                self.wfile.write((pages[int(number)] if number else f"<!doctype html>{_TOP}{frames}").encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
