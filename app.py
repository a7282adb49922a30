"""The roof: the `zhice` command. Settings -> Assistant -> page, viewer, shell.

Imports that take seconds stand in the functions that need them, so that `zhice ask` starts at once.
"""

from __future__ import annotations

import gc

gc.disable()  # start-up makes modules, not garbage: collecting meanwhile took 0.3 of 2.3 s; `main` turns it on again

import argparse
import json
import os
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.settings import Settings
from channels.documents_command import add_documents
from channels.keys_command import add_keys
from channels.upkeep_command import add_upkeep
from vectorstore.errors import ZhiceError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assistant import Assistant
    from channels.wechat import Accounts
    from ingest.pipeline import Progress, Report

DONE, FAILED, USAGE = 0, 1, 2
# What makes LangChain send questions and evidence to LangSmith; it may be set for another program.
TRACING = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING", "LANGCHAIN_TRACING_V2")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the `zhice` command; the exit code is 0 for done, 1 for a reported failure, 2 for wrong usage."""
    gc.enable()
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        settings = Settings.from_environ(os.environ, data_dir=getattr(options, "data_dir", None))
        if not settings.tracing:
            for name in TRACING:
                os.environ.pop(name, None)
        return int(options.run(options, settings))
    except ZhiceError as error:
        from assistant.errors import AssistantError

        print(f"zhice: {error}", file=sys.stderr)
        return USAGE if isinstance(error, AssistantError) else FAILED
    except sqlite3.DatabaseError as error:
        print(f"zhice: The data folder cannot be used: {error}. See `zhice doctor`.", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("zhice: stopped; what was reported as done is safe.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


def create_app(assistant: Assistant, settings: Settings, accounts: Accounts | None = None) -> FastAPI:
    """The page, the viewer, what programs call and the accounts in WeChat over one assistant, as one ASGI app."""
    from channels import openai_api, rest, wechat
    from channels.access import Access
    from channels.content import KEYED_DAYS
    from channels.mcp_server import Tools
    from channels.observing import Metrics, health
    from channels.server import build_app
    from ingest.isolation import IsolatedReader
    from ingest.pipeline import ingest_again
    from ingest.queueing import Queue
    from vectorstore.keys import Keys
    from vectorstore.quarantine import Quarantine

    store, reader = assistant.store, IsolatedReader()
    quarantine, queue = Quarantine(store.folder), Queue(store, reader)
    access, metrics = Access(Keys(store.catalog), keyed=settings.keyed), Metrics(assistant)
    assistant.answered.append(metrics.answer)
    routers = [
        rest.router(assistant, access, queue.add, quarantine),
        openai_api.router(assistant, access, public_url=settings.public_url),
        # Without a password the server answers to this machine alone.
        health(assistant, metrics, access.manages if settings.admin_password else lambda _: None),
    ]
    if accounts:
        days = KEYED_DAYS if settings.keyed else None
        routers.append(
            wechat.router(
                assistant,
                public_url=settings.public_url,
                official=accounts.official,
                wecom=accounts.wecom,
                bot=accounts.bot,
                link_days=days,
            )
        )
    return build_app(
        assistant,
        add_document=queue.add,
        routers=routers,
        services=[Tools(assistant, access, public_url=settings.public_url)],
        closing=[queue.close, reader.close],
        access=access,
        read_again=lambda document_id: ingest_again(store, document_id, reader),
        remove_document=store.remove,
        admin_password=settings.admin_password,
        quarantine=quarantine,
        public_url=settings.public_url,
        keyed=settings.keyed,
        metrics=metrics,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="zhice",
        description="Answers questions about policy documents; every answer cites the exact words it stands on.",
        epilog="Without a command: serve. Settings are ZHICE_* environment variables; the README lists them.",
    )
    parser.set_defaults(run=_serve)
    _add_data_dir(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    serve = commands.add_parser("serve", help="open the page, by default on http://127.0.0.1:7860")
    serve.set_defaults(run=_serve)
    _add_data_dir(serve)

    ask = commands.add_parser("ask", help="answer questions in the shell")
    ask.add_argument("question", nargs="+", metavar="QUESTION", help="a question; put it in quotes")
    ask.add_argument("--json", action="store_true", help="print one JSON object a question")
    ask.add_argument("--history", action="append", default=[], metavar="Q", help="a question asked before; repeatable")
    ask.add_argument(
        "--filter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="only documents that are so: region, issuer, kind, level, year, validity, document_id; repeatable",
    )
    ask.add_argument("--as-of", metavar="DATE", help="the day to answer for (ISO 8601); today by default")
    ask.set_defaults(run=_ask)
    _add_data_dir(ask)

    ingest = commands.add_parser("ingest", help="take files and folders into the knowledge base")
    ingest.add_argument("path", nargs="+", type=Path, metavar="PATH", help="a file or a folder")
    ingest.add_argument("--json", action="store_true", help="print the report as JSON")
    ingest.add_argument("--watch", action="store_true", help="go on, and take in every change; deletions, too")
    ingest.add_argument("--prune", action="store_true", help="remove documents whose file is gone from these folders")
    ingest.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="read and encode on a Ray cluster: auto, HOST:6379, ray://HOST:10001, or local for one on this machine",
    )
    ingest.set_defaults(run=_ingest)
    _add_data_dir(ingest)

    for action in add_documents(commands):
        _add_data_dir(action)

    for action in add_upkeep(commands):
        _add_data_dir(action)

    for action in add_keys(commands):
        _add_data_dir(action)

    evaluate = commands.add_parser("eval", help="ask a question set and report how it went")
    evaluate.add_argument("questions", type=Path, metavar="QUESTIONS.jsonl", help="a question set (JSON lines)")
    evaluate.add_argument("--documents", type=Path, metavar="DIR", help="ask about these documents instead")
    evaluate.add_argument("--json", action="store_true", help="print the figures as JSON")
    evaluate.add_argument("--report", type=Path, metavar="FILE.html", help="write an HTML report with every miss")
    evaluate.set_defaults(run=_evaluate)
    _add_data_dir(evaluate)
    return parser


def _add_data_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="the data folder (ZHICE_DATA_DIR, or the user's data folder)",
    )


def _serve(_: argparse.Namespace, settings: Settings) -> int:
    from channels.server import serve
    from channels.wechat import from_environ

    settings.check_serving()
    if settings.log == "json":
        import logging

        from channels.observing import JsonLines

        handler = logging.StreamHandler()
        handler.setFormatter(JsonLines())
        logging.basicConfig(level=logging.INFO, handlers=[handler])
        logging.getLogger("httpx").setLevel(logging.WARNING)  # which tells of every request to Chroma
    accounts = from_environ(os.environ)
    from assistant import open_assistant

    with open_assistant(settings=settings) as assistant:
        return serve(
            create_app(assistant, settings, accounts),
            assistant,
            host=settings.host,
            port=settings.port,
            trusted_proxies=settings.trusted_proxies,
        )


def _ask(options: argparse.Namespace, settings: Settings) -> int:
    from assistant import open_assistant
    from channels.render import plain

    filters = dict(given.partition("=")[::2] for given in options.filter)
    questions: list[str] = options.question
    if len(questions) > 1 and all(word.isascii() and not any(map(str.isspace, word)) for word in questions):
        questions = [" ".join(questions)]  # one English question without quotes
    with open_assistant(settings=settings) as assistant:
        for number, question in enumerate(questions):
            answer = assistant.ask(question, history=options.history, as_of=options.as_of, filters=filters)
            if options.json:
                print(json.dumps(answer.to_dict(), ensure_ascii=False))
            else:
                print(("\n" if number else "") + plain(answer))
    return DONE


def _ingest(options: argparse.Namespace, settings: Settings) -> int:
    from tqdm import tqdm

    from ingest import ingest_paths

    with tqdm(unit="file", file=sys.stderr, disable=None, leave=False) as bar:

        def progress(done: int, total: int, name: str) -> None:
            bar.total = total
            bar.set_postfix_str(name[-40:], refresh=False)
            bar.update(done - bar.n)

        def encoding(done: int, total: int) -> None:
            bar.unit, bar.total, bar.n = "passage", total, done
            bar.set_postfix_str("encoding", refresh=True)

        if options.watch:
            return _watch(options, settings, progress)
        report = ingest_paths(
            options.path,
            data_dir=settings.place,
            encoder=settings.encoder,
            prune=options.prune,
            progress=progress,
            encoding=encoding,
            ray=options.ray,
        )
    _tell(report, as_json=options.json)
    return FAILED if report.failed else DONE


def _watch(options: argparse.Namespace, settings: Settings, progress: Progress) -> int:
    """Until Ctrl-C or SIGTERM; what was reported as done is safe."""
    import signal
    import threading

    from assistant.errors import SettingError
    from ingest.watching import watch

    files = [path for path in options.path if path.is_file()]
    if files:
        raise SettingError(f"--watch looks after folders, and {files[0]} is a file; give its folder.")
    if options.ray:
        raise SettingError("--watch reads on this machine, file by file; leave out --ray, or --watch.")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    failed: set[tuple[str, str]] = set()

    def reported(report: Report) -> None:
        # What failed before is not told again and again.
        report.failed = [each for each in report.failed if each not in failed]
        failed.update(report.failed)
        if report.failed or report.added or report.updated or report.removed:
            _tell(report, as_json=options.json)

    watch(
        options.path,
        data_dir=settings.place,
        encoder=settings.encoder,
        stopped=stopped,
        reported=reported,
        progress=progress,
    )
    return DONE


def _tell(report: Report, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(report) | {"seconds": round(report.seconds, 3)}, ensure_ascii=False), flush=True)
    else:
        print(
            f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged, {report.removed} removed, "
            f"{len(report.failed)} failed; {report.passages} passages in {report.seconds:.1f} s",
            flush=True,
        )
    for file, said in (*report.failed, *report.notes):
        print(f"zhice: {file}: {said}", file=sys.stderr)


def _evaluate(options: argparse.Namespace, settings: Settings) -> int:
    import tempfile
    from dataclasses import replace

    from tqdm import tqdm

    from assistant import open_assistant
    from evaluation import evaluate, html_report, load_questions, table
    from ingest import ingest_paths

    questions = load_questions(options.questions)
    with tempfile.TemporaryDirectory() as scratch:
        if options.documents is not None:
            settings = replace(settings, data_dir=Path(scratch), samples=False, database_url=None, chroma_url=None)
            report = ingest_paths([options.documents], data_dir=scratch, encoder=settings.encoder)
            for file, reason in report.failed:
                print(f"zhice: {file}: {reason}", file=sys.stderr)
        with open_assistant(settings=settings) as assistant:
            asked = tqdm(questions, unit="question", file=sys.stderr, disable=None, leave=False)
            summary = evaluate(assistant, asked)
    if options.json:
        print(json.dumps(summary.to_dict(), ensure_ascii=False))
    else:
        print(table(summary))
    if options.report is not None:
        options.report.write_text(html_report(summary, title=f"Zhice: {options.questions.name}"), encoding="utf-8")
    return DONE


if __name__ == "__main__":
    sys.exit(main())
