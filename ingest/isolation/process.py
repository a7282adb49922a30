"""One process that reads files: started with nothing it does not need, asked by frames, ended by force."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, cast

from ingest.isolation.answers import Answer, BadAnswer, PageDone, read_answer
from ingest.isolation.frames import SMALL_FRAME_BYTES, BadFrame, read_frame, write_bytes, write_frame

# The variables without which Python or the system's libraries do not start; settings and keys are none of them.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT")
# Text recognition sets the number of its threads itself; those that start with a library cost 30 MiB of the limit each.
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_START_SECONDS = 120.0
_KEPT_LINES = 40
_LINE_BYTES = 500
_OUT_OF_MEMORY = re.compile(
    rb"bad_alloc|memory allocation of \d+ bytes failed|[Oo]ut of memory|MemoryError|Cannot allocate"
)

_LOGGER = logging.getLogger(__name__)


class ReaderGone(Exception):
    """The process gives no more answers; `why` is idle (before it had the file), time, overall, memory, answer,
    closed or ended."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class ChildProcess:
    """A running `python -m ingest.isolation`.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(self, module: str) -> None:
        self._folder = tempfile.mkdtemp(prefix="zhice-reader-")
        self._why = ""
        self._ended = False
        self._lock = threading.Lock()
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-s", "-B", "-m", "ingest.isolation", str(os.getpid()), module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._folder,
                env=_environment(self._folder),
                start_new_session=True,
            )
        except OSError:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        self._questions = cast("BinaryIO", self._process.stdin)
        self._answers = cast("BinaryIO", self._process.stdout)
        self._said: deque[bytes] = deque(maxlen=_KEPT_LINES)
        self._listener = threading.Thread(target=self._listen, name="isolated-reader-stderr", daemon=True)
        self._listener.start()
        with self._clock(_START_SECONDS, "time"):
            self._await_ready()

    @property
    def alive(self) -> bool:
        """Whether it can take a file."""
        return not self._ended and self._process.poll() is None

    def answers(self, data: bytes, source: str, *, seconds: float, overall: float) -> Iterator[Answer]:
        """Ask it to read a file: its answers, the last of which is no page.

        Raises:
            ReaderGone: it took `seconds` without an answer or `overall` in all, died, or answered what is no answer.
        """
        finish = time.monotonic() + overall
        with self._clock(seconds, "time"):
            try:
                write_frame(self._questions, {"source": source.encode("utf-8", "replace").decode()})
                write_bytes(self._questions, data)
                begun = read_frame(self._answers, SMALL_FRAME_BYTES) == {"kind": "begun"}
            except (OSError, ValueError) as error:
                raise self._gone(begun=False) from error
            if not begun:
                raise self._gone(begun=False)
            answer = self._answer()
        yield answer
        while isinstance(answer, PageDone):
            left = finish - time.monotonic()
            with self._clock(min(seconds, left), "time" if seconds < left else "overall"):
                answer = self._answer()
            yield answer

    def end(self) -> None:
        """Kill it and what it started; harmless when repeated."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
            self._why = self._why or "closed"
            self._kill()
            self._process.wait()
        self._listener.join(timeout=5)
        for pipe in (self._questions, self._answers):
            with contextlib.suppress(OSError, ValueError):
                pipe.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _await_ready(self) -> None:
        try:
            frame = read_frame(self._answers, SMALL_FRAME_BYTES)
        except (BadFrame, OSError):
            frame = None
        if frame != {"kind": "ready"}:
            self.end()
            # Before the first file there is no text of one in what it says.
            _LOGGER.error(
                "The process that reads files does not start:\n%s", self._last_words().decode(errors="replace")
            )
            raise OSError(0, "it did not start; see the log")

    def _answer(self) -> Answer:
        try:
            frame = read_frame(self._answers)
            if frame is None:
                raise self._gone()
            return read_answer(frame)
        except BadFrame as error:
            raise (self._gone() if self._why else ReaderGone("answer")) from error
        except BadAnswer as error:
            _LOGGER.warning("The process that reads files answered what is no answer: %s", error)
            raise ReaderGone("answer") from error
        except (OSError, ValueError) as error:
            raise self._gone() from error

    def _gone(self, *, begun: bool = True) -> ReaderGone:
        """Why there is no answer: this side ended it, its memory was short, or it died by itself."""
        if not self._why:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
            self._listener.join(timeout=5)
            short = _OUT_OF_MEMORY.search(self._last_words())
            self._why = "memory" if short else "ended" if begun else "idle"
        return ReaderGone(self._why)

    @contextlib.contextmanager
    def _clock(self, seconds: float, why: str) -> Iterator[None]:
        def stop() -> None:
            with self._lock:
                if not self._ended:
                    self._why = why
                    self._kill()

        timer = threading.Timer(max(0.0, seconds), stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _kill(self) -> None:
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _listen(self) -> None:
        """Empty its standard error, so that it never waits for that, and keep the end."""
        with cast("BinaryIO", self._process.stderr) as pipe, contextlib.suppress(OSError, ValueError):
            while line := pipe.readline(_LINE_BYTES):
                self._said.append(line)

    def _last_words(self) -> bytes:
        return b"".join(self._said)


def _environment(folder: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return {
        **kept,
        **dict.fromkeys(_ONE_THREAD, "1"),
        "HOME": folder,
        "TMPDIR": folder,
        "TEMP": folder,
        "TMP": folder,
        "PYTHONUTF8": "1",
        # The same packages as here, however they were found.
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
