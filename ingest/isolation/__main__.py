"""The process that reads files for `ingest.isolation`, run as `python -m ingest.isolation PARENT MODULE`.

Once it can read it says {"kind": "ready"}. It takes frames of a file's name and of its bytes from its standard input
and answers each file with frames of

    {"kind": "begun"}                                    the file has come, what happens now is due to it
    {"kind": "page", "done": 3, "total": 12}             while text is recognised
    {"kind": "done", "document": …, "passages": […]}     or
    {"kind": "unreadable", "reason": …}                  what the user is told
    {"kind": "memory", "limit": 536870912}               it had no more
    {"kind": "failed", "error": "ValueError at …"}       a fault of the reader; without any text of the file

each of the last four with `last`, which says that the process ends and another has to take the next file.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from ingest.errors import UnreadableDocument
from ingest.isolation import limits
from ingest.isolation.frames import SMALL_FRAME_BYTES, BadFrame, read_bytes, read_frame, write_frame
from ingest.isolation.plain_data import to_plain
from ingest.readers.effort import supervised
from vectorstore.passage import Document, Passage

Prepare = Callable[[bytes, str], tuple[Document, tuple[Passage, ...]]]

# What libraries in C leak is given back by ending, at 0.4 s for a new process.
_FILES = 500
_GROWN = limits.READING_MEMORY * 3 // 4


class _Reporter:
    """Tells the parent of progress, so that it does not end a reader that works."""

    def __init__(self, answers: BinaryIO) -> None:
        self._answers = answers
        self.recognised = False

    def page(self, done: int, total: int) -> None:
        limits.allow_time()
        write_frame(self._answers, {"kind": "page", "done": done, "total": total})

    def text_recognition(self) -> None:
        self.recognised = True
        limits.allow_recognition()


def main() -> None:
    """Read files until the parent closes the pipe."""
    parent, module = int(sys.argv[1]), sys.argv[2]
    questions, answers = _own_pipes()
    limits.limit_this_process(parent)
    prepare: Prepare = importlib.import_module(module).prepare
    reporter = _Reporter(answers)
    write_frame(answers, {"kind": "ready"})
    for number in range(1, _FILES + 1):
        question = read_frame(questions, SMALL_FRAME_BYTES)
        data = read_bytes(questions)
        if question is None or data is None:
            return
        write_frame(answers, {"kind": "begun"})
        limits.allow_time()
        limits.allow_reading(recognised=reporter.recognised)
        answer = _answer(prepare, data, question["source"], reporter)
        grown = not reporter.recognised and limits.memory() > _GROWN
        last = number == _FILES or grown or answer["kind"] in ("memory", "failed")
        try:
            write_frame(answers, {**answer, "last": last})
        except (BadFrame, MemoryError, UnicodeEncodeError):
            write_frame(answers, {"kind": "failed", "error": "answer too large", "last": True})
            return
        if last:
            return


def _answer(prepare: Prepare, data: bytes, source: str, reporter: _Reporter) -> dict[str, Any]:
    try:
        with supervised(reporter):
            document, passages = prepare(data, source)
        return {"kind": "done", "document": to_plain(document), "passages": [to_plain(passage) for passage in passages]}
    except UnreadableDocument as error:
        return {"kind": "unreadable", "reason": str(error)}
    except MemoryError:
        limit = limits.RECOGNITION_MEMORY if reporter.recognised else limits.READING_MEMORY
        return {"kind": "memory", "limit": limit}
    except Exception as error:  # a reader's fault is this file's, not the run's
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return {"kind": "failed", "error": f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"}


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes to the parent, kept from what libraries print and from programs that readers start."""
    questions, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return os.fdopen(questions, "rb"), os.fdopen(answers, "wb")


if __name__ == "__main__":
    main()
