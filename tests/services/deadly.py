"""A reader that does what the file says, for `test_ray.py`; it runs in the process that reads files, below a worker."""

from __future__ import annotations

import os
import signal
import time

from ingest.readers.effort import supervisor
from vectorstore.passage import Document, Passage


def prepare(data: bytes, source: str) -> tuple[Document, tuple[Passage, ...]]:
    """The document that the bytes name, or a misdeed."""
    word, _, rest = data.decode().partition(":")
    if word == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "killparent":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(30)
    if word == "pages":
        count, seconds = rest.split(",")
        for number in range(1, int(count) + 1):
            time.sleep(float(seconds))
            supervisor().page(number, int(count))
    return Document(source, "text/plain", data.decode()), (Passage(0, 0, len(data)),)
