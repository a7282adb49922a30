"""The page: its events, wired to what the neighbouring files do. Gradio is used here and for the page's parts alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import gradio as gr
from fastapi import FastAPI

from assistant.assembly import Assistant
from channels import conversation, markup
from channels.admin import ADMIN_COOKIE
from channels.conversation import Turns
from channels.filtering import chosen_from
from channels.guard import LARGEST_FILE
from channels.page_parts import Parts, place
from channels.remembering import Memory
from channels.shelf import Shelf, Upload
from channels.texts import LANGUAGE_COOKIE, Language, preferred, say
from channels.uploaded import names_elsewhere
from vectorstore.allowances import Allowance
from vectorstore.errors import ZhiceError

# A stub answered 50 users in 20 s with p95 0.54 s and no errors at these limits; beyond them a user is told to wait.
QUEUE_SIZE: Final = 64
AT_ONCE: Final = 16
QUESTIONS_A_MINUTE: Final = 20
# A session is whatever the browser calls itself, so its address counts, too; an office of some dozens of people has one.
QUESTIONS_OF_AN_ADDRESS: Final = 400
# Conversations that are kept, of some hundred KB each; who comes back to an older one begins it anew.
CONVERSATIONS: Final = 1000
# What was chosen to narrow the question, read off the page at the moment of asking and sent in the fourth place.
WITH_CHOSEN: Final = "(...given) => [...given.slice(0, 3), window.zhice.chosen()]"
FONTS: Final = (
    "system-ui", "-apple-system", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC",
    "Source Han Sans SC", "sans-serif",
)  # fmt: skip

Step = tuple[Any, ...]
"""New values of an event's output components, in their order."""


class Page(gr.Blocks):
    """Takes files from its uploads only; Gradio checks that in apps that it launches, and this one is mounted."""

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *rest: Any, **options: Any) -> Any:
        if names_elsewhere(inputs, Path(self.GRADIO_CACHE)):
            raise gr.Error("It was not uploaded here.", print_exception=False)
        return await super().preprocess_data(block_fn, inputs, *rest, **options)


def mount_page(app: FastAPI, assistant: Assistant, shelf: Shelf, *, keyed: bool = False) -> None:
    """Put the page at `/`; conversations live in `gr.State`, one a browser session. With `keyed`, who asks signs in."""
    page = Page(title="知策 Zhice", analytics_enabled=False, fill_width=True, delete_cache=(600, 600))
    with page:
        _connect(page, place(), Events(assistant, shelf, keyed=keyed))
    page.state_session_capacity = CONVERSATIONS
    page.queue(max_size=QUEUE_SIZE, default_concurrency_limit=AT_ONCE, api_open=False)
    gr.mount_gradio_app(
        app,
        page,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=LARGEST_FILE,
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        pwa=False,
        theme=gr.themes.Base(font=FONTS, font_mono=("ui-monospace", "monospace")),
    )


class Events:
    """What happens when something is clicked, typed or dropped.

    Every method can be called by anyone who can reach the server, with any data: what needs an administrator asks
    the gate itself, and what comes with an event is checked where it is read.
    """

    def __init__(self, assistant: Assistant, shelf: Shelf, *, keyed: bool) -> None:
        self._assistant = assistant
        self._shelf = shelf
        self._keyed = keyed
        self._memory = Memory(assistant)
        catalog = assistant.store.catalog
        self._allowance = Allowance(QUESTIONS_A_MINUTE, 60, catalog=catalog, what="questions of a page")
        self._of_address = Allowance(QUESTIONS_OF_AN_ADDRESS, 60, catalog=catalog, what="questions of an address")
        self._running: dict[str, threading.Event] = {}

    def ask_typed(
        self, text: str, turns: Turns, language: Language, chosen: object, request: gr.Request
    ) -> Iterator[Step]:
        yield from self._asked(text, turns, language, chosen, request)

    def ask_chosen(
        self, _: str, turns: Turns, language: Language, chosen: object, request: gr.Request, event: gr.EventData
    ) -> Iterator[Step]:
        yield from self._asked(_text(event, "question"), turns, language, chosen, request)

    def ask_edited(
        self, _: str, turns: Turns, language: Language, chosen: object, request: gr.Request, event: gr.EventData
    ) -> Iterator[Step]:
        first = _number(event, "turn", conversation.KEPT_TURNS)
        yield from self._asked(_text(event, "question"), turns, language, chosen, request, first)

    def _asked(
        self, text: str, turns: Turns, language: Language, given: object, request: gr.Request, kept: int | None = None
    ) -> Iterator[Step]:
        """New values of `Parts.growing`, step by step; with `kept`, only so many turns stay before the question."""
        turns = self._turns(turns, request)[:kept]
        if not (text or "").strip() or (turns and turns[-1].state == "asking"):
            yield (gr.skip(),) * 5
            return
        if not self._may_ask(request):
            gr.Warning(say(language, "keyed"))
            yield (gr.skip(),) * 5
            return
        chosen = chosen_from(given)
        if not chosen.dated:
            gr.Warning(say(language, "bad_day"))
            yield (gr.skip(),) * 5
            return
        address = request.client.host if request.client else ""
        wait = self._allowance.wait(request.session_hash or "") or self._of_address.wait(address)
        if wait:
            gr.Warning(say(language, "too_fast", seconds=int(wait) + 1))
            yield (gr.skip(),) * 5
            return
        session, stopped, after = request.session_hash or "", threading.Event(), turns
        self._running[session] = stopped
        try:
            for after in conversation.ask(self._assistant, turns, text, language, stopped, chosen=chosen):
                running = after[-1].state == "asking"
                shown = markup.conversation(after, language)
                yield "", after, shown, gr.update(visible=not running), gr.update(visible=running)
            self._memory.keep(session, after)
        finally:
            if self._running.get(session) is stopped:
                del self._running[session]

    def _turns(self, held: Turns, request: gr.Request) -> Turns:
        return self._memory.turns(request.session_hash or "", held)

    def _may_ask(self, request: gr.Request) -> bool:
        return not self._keyed or self._shelf.gate.admits(_token(request))

    def leave(self, request: gr.Request) -> None:
        """Nobody waits for this session's answer any more."""
        stopped = self._running.get(request.session_hash or "")
        if stopped is not None:
            stopped.set()

    def stop(self, turns: Turns, language: Language, request: gr.Request) -> Step:
        """New values of `Parts.growing` without its first."""
        self.leave(request)
        after = conversation.stopped(turns)
        return after, markup.conversation(after, language), gr.update(visible=True), gr.update(visible=False)

    def start_anew(self, language: Language, request: gr.Request) -> Step:
        """New values of `Parts.growing` and of the panel."""
        self.leave(request)
        self._memory.keep(request.session_hash or "", ())
        shown = markup.conversation((), language)
        return "", (), shown, gr.update(visible=True), gr.update(visible=False), markup.panel(language)

    def rate(self, turns: Turns, request: gr.Request, event: gr.EventData) -> None:
        """Keep a verdict on an answer of this conversation."""
        turns = self._turns(turns, request)
        answer_id, rating = _text(event, "answer"), 1 if _text(event, "verdict") == "good" else -1
        if answer_id not in conversation.kept_ids(turns):
            return
        try:
            self._assistant.feedback(answer_id, rating=rating, reason=_text(event, "reason"))
        except ZhiceError as error:
            gr.Warning(str(error))

    def show_documents(self, language: Language, request: gr.Request) -> Step:
        """The documents, the filters that they give, and whether files can be added."""
        token = _token(request)
        files = gr.update(visible=self._shelf.gate.admits(token))
        return self._shelf.listed(token, language), self._filters(language, request), files

    def _filters(self, language: Language, request: gr.Request) -> str:
        """The filters; where asking is keyed, nothing of the documents for who has not signed in."""
        return self._shelf.filters(language) if self._may_ask(request) else ""

    def add(self, uploads: list[Upload], language: Language, request: gr.Request) -> Iterator[Step]:
        """New values of `Parts.shelf` step by step; at the end an empty file field, too."""
        token = _token(request)
        for done in self._shelf.add(token, uploads, language):
            yield done, gr.skip(), gr.skip(), gr.skip()
        yield gr.skip(), self._shelf.listed(token, language), self._filters(language, request), gr.update(value=None)

    def read_again(self, language: Language, request: gr.Request, event: gr.EventData) -> Step:
        """New values of `Parts.shelf`."""
        token = _token(request)
        done = self._shelf.read_again(token, _text(event, "document"), language)
        return done, self._shelf.listed(token, language), self._filters(language, request)

    def remove(self, language: Language, request: gr.Request, event: gr.EventData) -> Step:
        """New values of `Parts.shelf`."""
        token = _token(request)
        done = self._shelf.remove(token, _text(event, "document"), language)
        return done, self._shelf.listed(token, language), self._filters(language, request)

    def show_correction(self, language: Language, request: gr.Request, event: gr.EventData) -> str:
        """The form for the document."""
        return self._shelf.correction(_token(request), _text(event, "document"), language)

    def correct(self, language: Language, request: gr.Request, event: gr.EventData) -> Step:
        """The form again, if something is wrong in it, and new values of `Parts.shelf`."""
        token = _token(request)
        fields = event._data.get("fields") if isinstance(event._data, dict) else None
        form, done = self._shelf.correct(
            token, _text(event, "document"), fields if isinstance(fields, dict) else {}, language
        )
        return form, done, self._shelf.listed(token, language), self._filters(language, request)

    def load(self, turns: Turns, request: gr.Request) -> Step:
        """The page in the reader's language, as `words` gives it; in Chinese it already is."""
        language = preferred(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language"))
        if language == "zh":
            documents, filters, files = self.show_documents(language, request)
            return (*(gr.skip(),) * 11, filters, documents, files, gr.skip(), gr.skip())
        return self.words(language, turns, request)

    def switch(self, language: Language, turns: Turns, request: gr.Request) -> Step:
        """The page in the other language."""
        return self.words("en" if language == "zh" else "zh", turns, request)

    def words(self, language: Language, turns: Turns, request: gr.Request) -> Step:
        """New values of `Parts.worded`."""
        documents, filters, files = self.show_documents(language, request)
        turns = self._turns(turns, request)
        return (
            language,
            markup.header(language),
            gr.update(value=say(language, "switch_language")),
            gr.update(label=say(language, "tab_ask")),
            gr.update(label=say(language, "tab_documents")),
            markup.conversation(turns, language),
            gr.update(label=say(language, "question_label"), placeholder=say(language, "question_hint")),
            gr.update(value=say(language, "send")),
            gr.update(value=say(language, "stop")),
            gr.update(value=say(language, "new_conversation")),
            markup.panel(language),
            filters,
            documents,
            {**files, "label": say(language, "upload")},
            "",
            "",
        )


def _connect(page: gr.Blocks, parts: Parts, events: Events) -> None:
    """Every event to its method; none of them is offered as an API."""
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    talk, language, turns, documents, files = parts.talk, parts.language, parts.turns, parts.documents, parts.files
    correction, shown = parts.correction, [documents, parts.filters, files]
    page.load(events.load, [turns], parts.worded, **quiet)
    page.unload(events.leave)
    parts.switch.click(events.switch, [language, turns], parts.worded, **quiet)
    # A stopped answer is over for the browser only when its last step ends, which must not hold up the next question;
    # that a second one does not start beside the first is seen to on the server.
    ask: dict[str, Any] = {**quiet, "outputs": parts.growing, "trigger_mode": "multiple", "js": WITH_CHOSEN}
    with_question = [parts.question, turns, language, parts.filters]
    asking = [
        gr.on([parts.question.submit, parts.send.click], events.ask_typed, with_question, **ask),
        talk.example_select(events.ask_chosen, with_question, **ask),
        talk.edit(events.ask_edited, with_question, **ask),
    ]
    parts.stop.click(events.stop, [turns, language], parts.growing[1:], cancels=asking, **quiet)
    parts.new.click(events.start_anew, [language], [*parts.growing, parts.panel], cancels=asking, **quiet)
    talk.like(events.rate, [turns], None, **quiet)
    parts.documents_tab.select(events.show_documents, [language], shown, **quiet)
    documents.apply(events.show_documents, [language], shown, **quiet)
    documents.retry(events.read_again, [language], parts.shelf, **quiet)
    documents.delete(events.remove, [language], parts.shelf, **quiet)
    documents.expand(events.show_correction, [language], correction, **quiet)
    correction.submit(events.correct, [language], [correction, *parts.shelf], **quiet)
    files.upload(events.add, [files, language], [*parts.shelf, files], **quiet)


def _token(request: gr.Request) -> str | None:
    token: str | None = request.cookies.get(ADMIN_COOKIE)
    return token


def _text(event: gr.EventData, name: str) -> str:
    """A string that came with an event; what comes is the client's word, so anything else counts as empty."""
    value = event._data.get(name) if isinstance(event._data, dict) else None
    return value if isinstance(value, str) else ""


def _number(event: gr.EventData, name: str, most: int) -> int:
    """A number from 0 to `most` that came with an event; `most` for anything else."""
    value = event._data.get(name) if isinstance(event._data, dict) else None
    return value if isinstance(value, int) and 0 <= value <= most else most
