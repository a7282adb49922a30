"""The process that speaks with the cluster, run as `python -m ingest.cluster`: Ray ends the process that loses its cluster.

It reads a `Request` and then files from its standard input, and ends with that.
"""

from __future__ import annotations

import os
import pickle
import queue
import sys
import threading
from typing import BinaryIO

from ingest.cluster.messages import File, Message, Refusal, Request

# Answers on their way; the others stay on the cluster until there is room.
_OUTBOX = 8


def main() -> None:
    """Read files on the cluster until the parent closes the pipe."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer
    questions = sys.stdin.buffer
    inbox: queue.Queue[File | None] = queue.Queue()
    outbox: queue.Queue[Message | None] = queue.Queue(_OUTBOX)
    request: Request = pickle.load(questions)  # noqa: S301  # the parent wrote it
    threading.Thread(target=_receive, args=(questions, inbox), daemon=True).start()
    sender = threading.Thread(target=_send, args=(answers, outbox), daemon=True)
    sender.start()
    try:
        from ingest.cluster.driver import run

        run(request, inbox, outbox)
    except Exception as error:
        first, _, _ = str(error).strip().partition("\n")
        outbox.put(Refusal(first.rstrip(".") or type(error).__name__))
        raise
    finally:
        outbox.put(None)
        sender.join()


def _receive(questions: BinaryIO, inbox: queue.Queue[File | None]) -> None:
    try:
        while True:
            inbox.put(pickle.load(questions))  # noqa: S301
    except (EOFError, OSError, pickle.UnpicklingError):
        inbox.put(None)


def _send(answers: BinaryIO, outbox: queue.Queue[Message | None]) -> None:
    try:
        while (message := outbox.get()) is not None:
            pickle.dump(message, answers)
            answers.flush()
    except OSError:
        os._exit(1)  # nobody hears any more


if __name__ == "__main__":
    main()
