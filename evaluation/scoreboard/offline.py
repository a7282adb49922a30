"""Line 14: server and browser in a network of their own that leads nowhere, and all that they try to reach.

`python -m evaluation.scoreboard.offline FOLDER` is the part that runs in there; it says what it saw as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import httpx

from evaluation.scoreboard.browser import CHROMIUM, FLAGS, MISSING
from evaluation.scoreboard.line import Line
from evaluation.scoreboard.policies import ROOT
from evaluation.scoreboard.served import serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAME: Final = "no network at all, with the browser's request log"
OUTSIDE: Final = "192.0.2.1"
"""An address that is nobody's (RFC 5737); reaching for it shows that attempts are seen."""
PATIENCE: Final = 20_000  # milliseconds for anything on the page
ASKED: Final = (
    ("zh-CN", "园区管理机构每年最高能拿到多少奖补？", "3000万元"),
    ("en-GB", "How much can a park management body receive a year at most?", "30 million"),
)
"""A browser's language, a question about the sample policies, and what the answer holds."""

_HERE: Final = ("127.0.0.1", "localhost", "::1")
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1  # of Linux's netdevice(7)
_WAYS: Final = (["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"])

# Python imports it at its start, in the server and in the processes that read files: notes whatever is looked up,
# connected to or sent to outside this machine.
_HOOK: Final = """
import os, sys

def note(event, given, file={file!r}, here={here!r}):
    host = None
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = given[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(given[1], tuple):
        host = given[1][0]
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host and host not in here:
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, f"{{event}} {{host}}\\n".encode())
        os.close(handle)

sys.addaudithook(note)
"""


@dataclass(slots=True)
class Seen:
    """What was seen in there: attempts to get out by the server and by the browser, answers and clicks.

    `unrouted` counts what the kernel could not send anywhere, whoever tried it: until the server had started and answered
    a program, and until the end, when the browser was there, too, which looks for its maker's services.
    """

    tried_by_check: list[str] = field(default_factory=list)
    tried_by_server: list[str] = field(default_factory=list)
    asked_by_page: list[str] = field(default_factory=list)
    unrouted: dict[str, int] = field(default_factory=dict)
    answers: int = 0
    requests: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def outside(self) -> list[str]:
        """Everything that was tried outside this machine, but for the check that this is seen."""
        server = (
            [f"the kernel: {self.unrouted['server']} packets without a route"] if self.unrouted.get("server") else []
        )
        return [*self.tried_by_server, *self.asked_by_page, *server]


def run(work: Path, *, quick: bool) -> Line:
    """A question in each language on the page; in the quick form the Chinese one."""
    started = time.perf_counter()
    missing, way = _missing()
    if missing:
        return Line(14, NAME, "", "", False, time.perf_counter() - started, missing)
    done = subprocess.run(  # noqa: S603 - our own script
        [*way, sys.executable, "-m", "evaluation.scoreboard.offline", str(work), *(["--quick"] if quick else [])],
        capture_output=True, text=True, cwd=ROOT, timeout=180,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the part in the other network ended with {done.returncode}: {done.stderr[-500:]}")
    seen = Seen(**json.loads(done.stdout.splitlines()[-1]))
    wrong = [*seen.wrong, *seen.outside]
    return Line(
        14,
        NAME,
        f"`zhice serve` and Chromium in a network namespace with nothing but loopback: the page is opened, asked and "
        f"its [1] clicked, in {'Chinese' if quick else 'Chinese and in English'}; Python's attempts are noted by an audit "
        "hook in every process, packets without a route by the kernel, and the browser's requests by its log",
        f"{seen.answers} of {1 if quick else len(ASKED)} questions answered, {len(seen.outside)} outside requests tried by the "
        f"server or the page's {seen.requests} requests" + "".join(f"; {each}" for each in wrong[:3]),
        not wrong,
        time.perf_counter() - started,
    )


def _missing() -> tuple[str, list[str]]:
    """Why this machine cannot run the line; or nothing, and the words that give a command a network of its own."""
    if not Path(CHROMIUM).exists():
        return MISSING, []
    for way in _WAYS:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            if subprocess.run([*way, "true"], capture_output=True, timeout=10).returncode == 0:  # noqa: S603 - fixed words
                return "", way
    return "this machine gives no process a network of its own (`unshare --net`)", []


# In the other network


def main() -> None:
    """Start the server, drive the page, and say what was seen."""
    work, seen = Path(sys.argv[1]), Seen()
    _raise_loopback()
    hooks, tried = work / "hooks", work / "tried.txt"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(_HOOK.format(file=str(tried), here=_HERE), encoding="utf-8")
    _check(hooks, tried, seen)
    before = _without_route()
    with serving(work / "kb", PYTHONPATH=str(hooks), ZHICE_LOG="json") as server:
        asked = ASKED[: 1 if "--quick" in sys.argv else None]
        for _, question, _ in asked:
            httpx.post(f"{server.address}/api/ask", json={"question": question}, timeout=60).raise_for_status()
        alone = _without_route()
        for language, question, expected in asked:
            _ask(server.address, language, question, expected, seen)
        seen.tried_by_server = _noted(tried)
    seen.unrouted = {"server": alone - before, "both": _without_route() - before}
    print(json.dumps(asdict(seen), ensure_ascii=False))


def _check(hooks: Path, tried: Path, seen: Seen) -> None:
    """Reach outside on purpose: it must fail, and be seen both by the hook and by the kernel."""
    before = _without_route()
    reach = f"import socket; socket.create_connection(({OUTSIDE!r}, 80), timeout=2)"
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", reach], env={**os.environ, "PYTHONPATH": str(hooks)}, capture_output=True, timeout=30
    )
    if not done.returncode:
        seen.wrong.append(f"{OUTSIDE} can be reached, so this is no network of its own")
    seen.tried_by_check = _noted(tried)
    tried.unlink(missing_ok=True)
    if not any(OUTSIDE in each for each in seen.tried_by_check) or _without_route() == before:
        seen.wrong.append("an attempt made on purpose was not seen")


def _ask(address: str, language: str, question: str, expected: str, seen: Seen) -> None:
    """Ask on the page in one language, and look at the first source."""
    from playwright.sync_api import Error, sync_playwright

    def asked(request: Any) -> None:
        seen.requests += 1
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in _HERE:
            seen.asked_by_page.append(f"the page asked {parts.hostname}")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        context = browser.new_context(locale=language)
        context.set_default_timeout(PATIENCE)
        context.on("request", asked)
        try:
            _drive(context.new_page(), address, question, expected)
            seen.answers += 1
        except (Error, LookupError) as error:
            seen.wrong.append(f"{question}: {str(error).splitlines()[0]}")
        finally:
            browser.close()


def _drive(page: Page, address: str, question: str, expected: str) -> None:
    page.goto(address)
    page.locator("#question textarea").wait_for()
    page.wait_for_function("document.querySelector('.masthead')?.dataset.settled")
    page.fill("#question textarea", question)
    page.keyboard.press("Enter")
    turn = page.locator(".turn[data-state=done]")
    turn.wait_for()
    said = turn.locator(".said").inner_text()
    if expected not in said:
        raise LookupError(f"the answer is {said[:100]!r}")
    turn.locator(".said .marker").first.click()
    page.locator("#evidence mark").first.wait_for()


def _noted(tried: Path) -> list[str]:
    return tried.read_text("utf-8").splitlines() if tried.exists() else []


def _without_route() -> int:
    """How often the kernel had no way for what a process of this network wanted to send (IPv4 and IPv6)."""
    names, values = (line.split() for line in Path("/proc/net/snmp").read_text("ascii").splitlines()[:2])
    newer = re.search(r"^Ip6OutNoRoutes\s+(\d+)", Path("/proc/net/snmp6").read_text("ascii"), re.MULTILINE)
    return int(dict(zip(names, values, strict=True))["OutNoRoutes"]) + (int(newer[1]) if newer else 0)


def _raise_loopback() -> None:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        wanted = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, wanted))[1]
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | _IFF_UP))


if __name__ == "__main__":
    main()
