"""The page's components, and where they stand; what happens with them is told in the page itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, ListFiles

from assistant.assembly import LONGEST_QUESTION
from channels import markup
from channels.shelf import Upload
from channels.texts import say
from channels.uploaded import FILE_TYPES


class PolicyFiles(gr.File):
    """A file field that gives each upload with the name it had on the reader's machine."""

    is_template = True

    def preprocess(self, payload: ListFiles | FileData | None) -> list[Upload]:  # type: ignore[override]
        """The uploaded files; names are the client's word and are cleaned where they are used."""
        files = payload.root if isinstance(payload, ListFiles) else [payload] if payload else []
        return [Upload(Path(file.orig_name or file.path).name, Path(file.path)) for file in files]


@dataclass(frozen=True, slots=True)
class Parts:
    """The page's components."""

    language: gr.State
    turns: gr.State
    header: gr.HTML
    switch: gr.Button
    ask_tab: gr.Tab
    talk: gr.HTML
    question: gr.Textbox
    send: gr.Button
    stop: gr.Button
    new: gr.Button
    filters: gr.HTML
    panel: gr.HTML
    documents_tab: gr.Tab
    documents: gr.HTML
    correction: gr.HTML
    files: PolicyFiles
    outcomes: gr.HTML

    @property
    def worded(self) -> list[Any]:
        """What is said in the interface's language, in the order in which `Events.words` says it."""
        return [
            self.language, self.header, self.switch, self.ask_tab, self.documents_tab, self.talk, self.question,
            self.send, self.stop, self.new, self.panel, self.filters, self.documents, self.files, self.outcomes,
            self.correction,
        ]  # fmt: skip

    @property
    def shelf(self) -> list[Any]:
        """What changes with the documents."""
        return [self.outcomes, self.documents, self.filters]

    @property
    def growing(self) -> list[Any]:
        """What changes while an answer grows."""
        return [self.question, self.turns, self.talk, self.send, self.stop]


def place() -> Parts:
    """All components in their places, in Chinese until `Events.load` knows better."""
    language, turns = gr.State("zh"), gr.State(())
    with gr.Row(elem_id="top"):
        header = _html(markup.header("zh"), elem_id="header")
        switch = gr.Button(say("zh", "switch_language"), elem_id="switch", size="sm", scale=0)
    with gr.Tabs(elem_id="views"):
        with gr.Tab(say("zh", "tab_ask"), id="ask") as ask_tab, gr.Row(elem_id="desk"):
            with gr.Column(elem_id="chat"):
                talk = _html(
                    markup.conversation((), "zh"),
                    elem_id="conversation",
                    js_on_load="window.zhice.conversation(element, trigger)",
                )
                with gr.Row(elem_id="composer"):
                    question = gr.Textbox(
                        label=say("zh", "question_label"),
                        placeholder=say("zh", "question_hint"),
                        show_label=False,
                        container=False,
                        lines=1,
                        max_lines=6,
                        # One more than is read, so that a question cut short is refused and never misread.
                        max_length=LONGEST_QUESTION + 1,
                        elem_id="question",
                        autofocus=True,
                        scale=1,
                    )
                    send = gr.Button(say("zh", "send"), variant="primary", elem_id="send", scale=0)
                    stop = gr.Button(say("zh", "stop"), elem_id="stop", visible=False, scale=0)
                    with gr.Row(elem_id="beneath"):
                        new = gr.Button(say("zh", "new_conversation"), elem_id="new", scale=0)
                        filters = _html("", elem_id="filters", js_on_load="window.zhice.filters(element)")
            panel = _html(markup.panel("zh"), elem_id="evidence-panel")
        with gr.Tab(say("zh", "tab_documents"), id="documents") as documents_tab:
            documents = _html("", elem_id="documents", js_on_load="window.zhice.documents(element, trigger)")
            correction = _html("", elem_id="correction", js_on_load="window.zhice.correction(element, trigger)")
            files = PolicyFiles(
                label=say("zh", "upload"),
                file_count="multiple",
                file_types=FILE_TYPES,
                elem_id="upload",
                visible=False,
            )
            outcomes = _html("", elem_id="outcomes")
    return Parts(
        language, turns, header, switch, ask_tab, talk, question, send, stop, new, filters, panel, documents_tab,
        documents, correction, files, outcomes,
    )  # fmt: skip


def _html(value: str, **options: Any) -> gr.HTML:
    return gr.HTML(value, **{"js_on_load": None, "apply_default_css": False, **options})
