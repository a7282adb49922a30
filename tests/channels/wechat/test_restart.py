"""A server that is killed between a question and its answer, and the one that comes after it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from channels.wechat.phrases import say
from tests.channels.wechat.conftest import Serve
from tests.channels.wechat.simulator import Platform, Talk, WeChat, client

SERVER = textwrap.dedent(
    """
    import socket, sys
    from pathlib import Path
    import uvicorn
    from fastapi import FastAPI
    from channels.wechat import router
    from tests.channels.wechat.simulator import SAFE, TENTH, StubAssistant, certified

    account = certified(sys.argv[2]) if len(sys.argv) > 2 else SAFE
    app = FastAPI()
    app.include_router(
        router(StubAssistant.over(Path(sys.argv[1])), public_url="https://zhice.example", official=account, waits=TENTH)
    )
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])
    """
)
Start = Callable[..., tuple[subprocess.Popen[str], str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a server as a process of its own, always over the same catalog; gives it and its address."""
    running: list[subprocess.Popen[str]] = []

    def started(*options: str) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-c", SERVER, str(tmp_path), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])
        running.append(process)
        assert process.stdout is not None
        return process, f"http://127.0.0.1:{int(process.stdout.readline())}"

    yield started
    for process in running:
        process.kill()
        process.communicate()


def say_to(address: str, *said: tuple[str, str]) -> list[Talk]:
    """What is shown to each user for a text, all at once."""

    async def talk() -> list[Talk]:
        async with client(address) as http:
            return list(await asyncio.gather(*(WeChat(http).say(user, text) for user, text in said)))

    return asyncio.run(talk())


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM])
def test_after_a_restart_answers_are_fetched_and_lost_questions_are_owned_up_to(
    start: Start, stop: signal.Signals
) -> None:
    process, address = start()
    shown = say_to(address, ("ready", "[16s]甲"), ("asked", "[600s]乙"))
    assert [talk.shown for talk in shown] == [say("zh", "pending")] * 2
    time.sleep(0.5)
    process.send_signal(stop)
    time.sleep(0.1)
    _, address = start()
    time.sleep(1.0)
    shown = say_to(address, ("ready", "继续"), ("asked", "继续"))
    assert [talk.shown for talk in shown] == ["「[16s]甲」\n答：[16s]甲", f"「[600s]乙」\n{say('zh', 'lost')}"]
    assert [talk.shown for talk in say_to(address, ("ready", "继续"), ("asked", "[1s]乙"))] == [
        say("zh", "nothing"), "答：[1s]乙"
    ]  # fmt: skip


def test_a_killed_server_of_a_certified_account_is_owned_up_to_unasked(start: Start, platform: Platform) -> None:
    platform.reset()
    process, address = start(platform.url)
    assert [talk.shown for talk in say_to(address, ("user", "[600s]甲"))] == [None]
    process.kill()
    start(platform.url)
    give_up = time.monotonic() + 8
    while not platform.sent("cgi-bin/message/custom/send") and time.monotonic() < give_up:
        time.sleep(0.05)
    sent = platform.sent("cgi-bin/message/custom/send")
    assert [message["text"]["content"] for message in sent] == [say("zh", "lost")]


def test_two_servers_share_one_conversation(serve_stub: Serve, tmp_path: Path) -> None:
    (one, first), (other, second) = serve_stub(folder=tmp_path), serve_stub(folder=tmp_path)

    async def ask() -> list[str | None]:
        async with client(one) as here, client(other) as there:
            pending = asyncio.create_task(WeChat(here).say("user", "[12s]甲"))
            await asyncio.sleep(0.1)
            waiting = asyncio.create_task(WeChat(there).say("user", "[1s]乙"))
            shown = [(await pending).shown, (await waiting).shown]
            shown += [(await WeChat(client).say("user", "丙")).shown for client in (here, there)]
            return shown

    assert asyncio.run(ask()) == ["答：[12s]甲", "答：[1s]乙", "答：丙", "答：丙"]
    # The second server waited for the first one's answer, and then went on with the conversation.
    assert second.asked[0] == ("[1s]乙", ("[12s]甲",))
    assert first.asked[1] == ("丙", ("[12s]甲", "[1s]乙"))


def test_an_answer_made_by_one_server_is_fetched_from_another(serve_stub: Serve, tmp_path: Path) -> None:
    (one, _), (other, _) = serve_stub(folder=tmp_path), serve_stub(folder=tmp_path)

    async def ask() -> list[str | None]:
        async with client(one) as here, client(other) as there:
            first = await WeChat(here).say("user", "[17s]甲")
            return [
                first.shown,
                (await WeChat(there).say("user", "继续")).shown,
                (await WeChat(here).say("user", "继续")).shown,
            ]

    assert asyncio.run(ask()) == [say("zh", "pending"), "「[17s]甲」\n答：[17s]甲", say("zh", "nothing")]
