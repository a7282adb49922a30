"""Line 13: questions too long, passwords tried, connections that say nothing or too slowly; others do not notice."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import httpx

from channels.admin import FREE_TRIES
from channels.guard import BODY_SECONDS
from channels.server import HEAD_SECONDS
from evaluation.scoreboard.clients import Asking, ask, furnish, idle, keys_for, settle, slower
from evaluation.scoreboard.crowd import Crowd, may_open
from evaluation.scoreboard.line import Line
from evaluation.scoreboard.served import Server, serving

EVERY: Final = 0.2  # seconds between the questions of the client who does nothing wrong
IDLE_SECONDS: Final = 15.0
QUESTION_BYTES: Final = 20 * 2**20
LOGINS: Final = 1_000
SILENT: Final = 500
SLOW: Final = 50
PASSWORD: Final = "the password of this line"  # noqa: S105 - of a server that lives as long as this line

# Seconds that a connection may stay beyond the limit: the server looks once a second, and so does the crowd.
_GRACE: Final = 6.0
# Room for this process's own files beside the crowd's, and for the server's, which has the same limit.
_OTHER_FILES: Final = 200
_QUESTIONS: Final[Mapping[str, Callable[[str], object]]] = {
    "/api/ask": lambda text: {"question": text},
    "/v1/chat/completions": lambda text: {"model": "zhice", "messages": [{"role": "user", "content": text}]},
    "/gradio_api/queue/join": lambda text: {"data": [text], "fn_index": 0, "session_hash": "limits"},
}


def run(work: Path, *, quick: bool) -> Line:
    """In the quick form a tenth of all, and the slow ones are not waited for."""
    started = time.perf_counter()
    share = 10 if quick else 1
    logins, silent, slow = LOGINS // share, SILENT // share, SLOW // share
    test = "20 MB questions, 1,000 logins, 500 idle connections, slow heads and bodies"
    if not may_open(needed := silent + 2 * slow + _OTHER_FILES):
        reason = f"a process may not open {needed} files here; `ulimit -n` allows more"
        return Line(13, test, "", "", False, time.perf_counter() - started, reason)
    data = work / "kb"
    _, keys = furnish(data, keys_for(EVERY))
    with serving(data, ZHICE_SAMPLES="0", ZHICE_ADMIN_PASSWORD=PASSWORD) as server:
        settle(server, keys[0])
        alone = idle(Asking(server.address, keys, every=EVERY), IDLE_SECONDS / share)
        with Asking(server.address, keys, every=EVERY) as asking:
            wrong = [*_long_questions(server.address)]
            tried, guessing = _logins(server.address, logins)
            with Crowd(server.port, silent=silent, slow=slow) as crowd:
                crowd.wait(IDLE_SECONDS / share if quick else max(HEAD_SECONDS, 2 * BODY_SECONDS) + _GRACE)
        alone.add(idle(Asking(server.address, keys, every=EVERY), IDLE_SECONDS / share))
        wrong += guessing + (crowd.faults(early=quick)) + _goes_on(server, keys[0])
    ratio = asking.times.p95 / alone.p95
    wrong += alone.wrong + asking.times.wrong
    return Line(
        13,
        test,
        f"while a client asks every {EVERY * 1000:.0f} ms: {len(_QUESTIONS)} x 2 questions of {QUESTION_BYTES // 2**20} MiB, with and "
        f"without their length; {logins:,} wrong passwords, each under another forwarded address; then {silent} connections "
        f"that say nothing, {slow} with slow heads and {slow} with slow bodies, "
        + ("left alone" if quick else f"{crowd.seconds:.0f} s"),
        f"{', '.join(f'{count:,} x {status}' for status, count in sorted(tried.items()))} for passwords; "
        f"{crowd.summary()}; p95 {1000 * alone.p95:.0f} ms alone, {1000 * asking.times.p95:.0f} ms meanwhile ({ratio:.2f} x)"
        + "".join(f"; {each} ({count} x)" for each, count in Counter(wrong).most_common(3)),
        not wrong and ratio < slower(quick=quick),
        time.perf_counter() - started,
    )


def _long_questions(address: str) -> Iterator[str]:
    """Every way to ask refuses a question of 20 MiB, told how long it is or not."""
    text = "长" * (QUESTION_BYTES // 3)
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        for path, question in _QUESTIONS.items():
            whole = json.dumps(question(text), ensure_ascii=False).encode()
            for told in (True, False):
                try:
                    reply = client.post(
                        path, content=whole if told else _pieces(whole), headers={"Content-Type": "application/json"}
                    )
                    status = str(reply.status_code)
                except httpx.HTTPError as error:
                    status = type(error).__name__
                if status != "413":
                    yield f"{path}: {status} for a question of 20 MiB{'' if told else ' of unknown length'}"


def _pieces(whole: bytes) -> Iterator[bytes]:
    for start in range(0, len(whole), 2**16):
        yield whole[start : start + 2**16]


def _logins(address: str, count: int) -> tuple[Counter[int], list[str]]:
    """Try wrong passwords, then the right one; how many replies of each status there were, and what was wrong."""
    statuses: Counter[int] = Counter()
    wrong: list[str] = []
    begun = time.monotonic()
    with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
        for number in range(count + 1):
            password = PASSWORD if number == count else f"wrong {number}"
            # Nobody has said that this machine is a proxy, so no address that it forwards is believed.
            elsewhere = {"X-Forwarded-For": f"203.0.{number // 250}.{number % 250}"}
            reply = client.post("/admin/sign-in", data={"password": password}, headers=elsewhere)
            statuses[reply.status_code] += 1
            if reply.status_code == 429 and not reply.headers.get("Retry-After", "").isdecimal():
                wrong.append("a 429 that does not say how long to wait")
            if "set-cookie" in reply.headers or reply.status_code not in (401, 429):
                wrong.append(f"a login was answered with {reply.status_code}")
    # The wait doubles with every try that is looked at.
    most = FREE_TRIES + math.ceil(math.log2(2 + time.monotonic() - begun))
    if statuses[401] > most:
        wrong.append(f"{statuses[401]} passwords were looked at, and {most} may be")
    return statuses, wrong


def _goes_on(server: Server, key: str) -> list[str]:
    with httpx.Client(base_url=server.address, timeout=60, trust_env=False) as client:
        return [fault for fault in [ask(client, key)] if fault] if server.alive else ["the server is gone"]
