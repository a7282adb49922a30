"""Accounts from the environment: what is missing, empty or malformed is refused by name, and no secret is shown."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from assistant.errors import SettingError
from channels.wechat import from_environ, router
from channels.wechat.settings import OfficialAccount
from tests.channels.wechat.simulator import AES_KEY, APP_ID, CORP_ID, SAFE, SECRET, TOKEN, wecom_app

OFFICIAL = {"ZHICE_WECHAT_TOKEN": TOKEN, "ZHICE_WECHAT_APP_ID": APP_ID}
CERTIFIED = {**OFFICIAL, "ZHICE_WECHAT_AES_KEY": AES_KEY, "ZHICE_WECHAT_SECRET": SECRET, "ZHICE_WECHAT_CERTIFIED": "1"}
WECOM = {
    "ZHICE_WECOM_CORP_ID": CORP_ID, "ZHICE_WECOM_AGENT_ID": "218", "ZHICE_WECOM_SECRET": SECRET,
    "ZHICE_WECOM_TOKEN": TOKEN, "ZHICE_WECOM_AES_KEY": AES_KEY,
}  # fmt: skip
BOT = {"ZHICE_WECOM_BOT_TOKEN": TOKEN, "ZHICE_WECOM_BOT_AES_KEY": AES_KEY}


def test_without_a_variable_there_is_no_account() -> None:
    assert not from_environ({"ZHICE_PORT": "7860"})


def test_each_account_stands_by_itself() -> None:
    assert from_environ(OFFICIAL).official == OfficialAccount(TOKEN, APP_ID)
    assert from_environ(WECOM).wecom == wecom_app("https://qyapi.weixin.qq.com")
    assert from_environ(WECOM).bot is None
    assert from_environ(BOT).wecom is None
    everything = from_environ({**CERTIFIED, **WECOM, **BOT})
    assert everything.official and everything.wecom and everything.bot  # noqa: PT018


def test_only_a_certified_account_has_a_secret() -> None:
    assert from_environ({**CERTIFIED, "ZHICE_WECHAT_CERTIFIED": "0"}).official == SAFE
    official = from_environ(CERTIFIED).official
    assert official is not None
    assert official.secret == SECRET


@pytest.mark.parametrize(("environ", "name"), [
    *(({**all_set, name: value}, name)
      for all_set in (CERTIFIED, WECOM, BOT) for name in all_set for value in ("", " ", "坏", "a" * 200)),
    ({**CERTIFIED, "ZHICE_WECHAT_API": "http://example.org"}, "ZHICE_WECHAT_API"),
    ({**WECOM, "ZHICE_WECOM_API": "ftp://[x"}, "ZHICE_WECOM_API"),
    ({"ZHICE_WECHAT_TOKEN": TOKEN}, "ZHICE_WECHAT_APP_ID"),
    ({"ZHICE_WECOM_SECRET": SECRET}, "ZHICE_WECOM_CORP_ID"),
    ({name: value for name, value in CERTIFIED.items() if not name.endswith("SECRET")}, "ZHICE_WECHAT_SECRET"),
])  # fmt: skip
def test_what_cannot_be_right_is_refused_by_name(environ: dict[str, str], name: str) -> None:
    with pytest.raises(SettingError, match=name) as refused:
        from_environ(environ)
    assert not any(secret in str(refused.value) for secret in (TOKEN, AES_KEY, SECRET))


def test_no_secret_is_shown() -> None:
    shown = repr(from_environ({**CERTIFIED, **WECOM, **BOT}))
    assert not any(secret in shown for secret in (TOKEN, AES_KEY, SECRET))
    assert APP_ID in shown


@pytest.mark.parametrize(
    ("options", "name"),
    [({"public_url": None, "official": SAFE}, "ZHICE_PUBLIC_URL"), ({"public_url": "https://a.example"}, "ZHICE_WECHAT_TOKEN")],
)  # fmt: skip
def test_the_router_needs_an_address_and_an_account(options: dict[str, Any], name: str) -> None:
    stub: Any = SimpleNamespace(store=SimpleNamespace(catalog=None))
    with pytest.raises(SettingError, match=name):
        router(stub, **options)
