"""A real assistant in WeChat: an answer with its source, whose link opens the quote; and the example of a bot of one's own."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from channels.viewer import viewer
from channels.wechat import Accounts, router
from prompts import load_wording
from tests.channels.conftest import whole_app
from tests.channels.wechat.simulator import BOT, SAFE, TENTH, StubAssistant, Talk, WeChat, WeComUser, client

URL = "https://zhice.example"


@pytest.fixture(scope="module", params=["an app of one's own", "zhice serve"])
def address(request: pytest.FixtureRequest, serving: Callable[[FastAPI], str], shelf: Any) -> str:
    if request.param == "zhice serve":
        accounts = Accounts(official=SAFE, bot=BOT)
        return serving(whole_app(shelf.assistant, accounts, public_url=URL, admin_password="a password"))
    app = FastAPI()
    app.include_router(router(shelf.assistant, public_url=URL, official=SAFE, bot=BOT, waits=TENTH))
    app.include_router(viewer(shelf.assistant, public_url=URL))
    return serving(app)


def test_an_answer_comes_with_its_source_and_the_link_opens_it(address: str) -> None:
    async def ask() -> tuple[list[str], httpx.Response]:
        async with client(address) as http:
            wechat = WeChat(http, scale=1.0)
            shown = [
                (await wechat.say("user", text)).shown or ""
                for text in ("园区管理机构每年最高能拿到多少奖补？", "那考核指标有哪些？", "今天天气怎么样？")
            ]
            code = re.search(rf"{URL}(/s/\w+)", shown[0])
            assert code is not None
            return shown, await http.get(code[1], follow_redirects=True)

    shown, source = asyncio.run(ask())
    assert "800万元" in shown[0]
    assert "[1] 《云川市产业园区管理机构奖励办法》" in shown[0]
    # The follow-up was understood from the question before it.
    assert "主营业务收入" in shown[1]
    assert load_wording("zh").say("refusal") in shown[2]
    assert source.status_code == 200
    assert re.search(r"<mark[^>]*>[^<]*800万元", source.text)


def test_a_bots_answer_is_markdown(address: str) -> None:
    async def ask() -> str:
        async with client(address) as http:
            user = WeComUser(http)
            stream, seen = await user.say("园区管理机构每年最高能拿到多少奖补？")
            while not seen["finish"]:
                await asyncio.sleep(0.1)
                seen = await user.poll(stream)
            return str(seen["content"])

    content = asyncio.run(ask())
    assert "800万元" in content
    assert re.search(rf"> \[1\] \[《云川市产业园区管理机构奖励办法》.*\]\({URL}/s/\w+\)", content)


def test_an_answer_that_takes_longer_is_fetched_through_the_whole_server(
    serving: Callable[[FastAPI], str], shelf: Any, tmp_path: Path
) -> None:
    stub = StubAssistant.over(tmp_path)
    routers = [router(stub, public_url=URL, official=SAFE, waits=TENTH)]  # type: ignore[arg-type]
    address = serving(shelf.app("a password", routers=routers, public_url=URL))

    async def ask() -> list[Talk]:
        async with client(address) as http:
            wechat = WeChat(http)
            return [await wechat.say("user", text) for text in ("问题一[6s]", "问题二[70s]", "继续")]

    second, third, rest = asyncio.run(ask())
    assert (second.shown, second.attempts) == ("答：问题一[6s]", 2)
    assert (third.shown or "").startswith("正在查询")
    assert rest.attempts > 1
    stub.store.catalog.close()


def test_a_forged_message_is_refused_by_the_whole_server(address: str) -> None:
    async def forge() -> list[int]:
        async with client(address) as http:
            message = WeChat(http).request("<xml></xml>")
            message["params"]["msg_signature"] = "0" * 40
            return [
                (await http.post("/wechat", **message)).status_code,
                (await http.post("/wechat", content=b"x" * (5 * 2**20))).status_code,
                (await http.get("/wechat")).status_code,
            ]

    assert all(400 <= status < 500 for status in asyncio.run(forge()))


def test_the_example_is_a_bot(
    serving: Callable[[FastAPI], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path(__file__).parents[3] / "examples" / "wechat_bot.py"
    assert len(file.read_text(encoding="utf-8").splitlines()) < 35
    values = {
        "ZHICE_DATA_DIR": str(tmp_path), "ZHICE_WECHAT_TOKEN": SAFE.token, "ZHICE_WECHAT_APP_ID": SAFE.app_id,
        "ZHICE_WECHAT_AES_KEY": SAFE.aes_key, "ZHICE_PUBLIC_URL": URL, "ZHICE_ADMIN_PASSWORD": "a password",
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(name, value or "")
    spec = importlib.util.spec_from_file_location("wechat_bot", file)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    address = serving(example.app())

    async def ask() -> str | None:
        async with client(address) as http:
            return (await WeChat(http, scale=1.0).say("user", "园区管理机构每年最高能拿到多少奖补？")).shown

    shown = asyncio.run(ask()) or ""
    assert "[1] 《" in shown
    assert f"{URL}/s/" in shown


def test_importing_the_package_needs_none_of_its_libraries() -> None:
    import subprocess
    import sys

    script = (
        "import sys, json\n"
        "for name in ('wechatpy', 'xmltodict', 'cryptography'): sys.modules[name] = None\n"
        "import channels.wechat\n"
        "print(json.dumps(sorted({'wechatpy.crypto', 'gradio', 'langchain'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == []


def test_what_the_package_exports_is_there() -> None:
    import channels.wechat

    assert all(hasattr(channels.wechat, name) for name in channels.wechat.__all__)
