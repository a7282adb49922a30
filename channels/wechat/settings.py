"""The accounts that Zhice answers in WeChat and WeCom, read from the environment and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from assistant.errors import SettingError
from assistant.settings import LOCAL_HOSTS

WECHAT_API: Final = "https://api.weixin.qq.com"
WECOM_API: Final = "https://qyapi.weixin.qq.com"

_TOKEN: Final = re.compile(r"[A-Za-z0-9]{3,32}"), "3 to 32 letters and digits, the same as on the platform's page"
_AES_KEY: Final = re.compile(r"[A-Za-z0-9]{43}"), "the 43 letters and digits of the EncodingAESKey"
_ID: Final = re.compile(r"[A-Za-z0-9_-]{4,64}"), "the id that the platform's page shows"
_NUMBER: Final = re.compile(r"[0-9]{1,20}"), "the app's number"
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{16,128}"), "the secret that the platform's page shows"


@dataclass(frozen=True, slots=True)
class OfficialAccount:
    """An official account (公众号); `secret` only for one that may send customer-service messages.

    With `aes_key` it is in safe mode. `repr` shows no secret here and below.

    Raises:
        SettingError: a value is empty or malformed; the message names its variable.
    """

    token: str = field(repr=False)
    app_id: str
    aes_key: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    api: str = WECHAT_API

    def __post_init__(self) -> None:
        _check("ZHICE_WECHAT_TOKEN", self.token, *_TOKEN)
        _check("ZHICE_WECHAT_APP_ID", self.app_id, *_ID)
        if self.aes_key is not None:
            _check("ZHICE_WECHAT_AES_KEY", self.aes_key, *_AES_KEY)
        if self.secret is not None:
            _check("ZHICE_WECHAT_SECRET", self.secret, *_SECRET)
        _check_api("ZHICE_WECHAT_API", self.api)


@dataclass(frozen=True, slots=True)
class WeComApp:
    """A self-built app of WeCom (企业微信自建应用)."""

    corp_id: str
    agent_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    api: str = WECOM_API

    def __post_init__(self) -> None:
        _check("ZHICE_WECOM_CORP_ID", self.corp_id, *_ID)
        _check("ZHICE_WECOM_AGENT_ID", self.agent_id, *_NUMBER)
        _check("ZHICE_WECOM_SECRET", self.secret, *_SECRET)
        _check("ZHICE_WECOM_TOKEN", self.token, *_TOKEN)
        _check("ZHICE_WECOM_AES_KEY", self.aes_key, *_AES_KEY)
        _check_api("ZHICE_WECOM_API", self.api)


@dataclass(frozen=True, slots=True)
class WeComBot:
    """A bot of WeCom (企业微信智能机器人); late answers go to addresses under `api` and nowhere else."""

    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    api: str = WECOM_API

    def __post_init__(self) -> None:
        _check("ZHICE_WECOM_BOT_TOKEN", self.token, *_TOKEN)
        _check("ZHICE_WECOM_BOT_AES_KEY", self.aes_key, *_AES_KEY)
        _check_api("ZHICE_WECOM_API", self.api)


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts that are set; any of them may be missing."""

    official: OfficialAccount | None = None
    wecom: WeComApp | None = None
    bot: WeComBot | None = None

    def __bool__(self) -> bool:
        return any((self.official, self.wecom, self.bot))


@dataclass(frozen=True, slots=True)
class Waits:
    """How long to wait for what, in seconds.

    WeChat drops a connection after `dropped` and asks three times in all, so an attempt waits `hold` for its answer. The one
    that arrives `last_after` its message was sent is the third, whatever became of those before it. `pending` is how long
    an answer can be fetched, `kept` how long a reply is sent again unchanged; a conversation is `turns` questions within
    `conversation`. `vouched` is how long after its end a process is believed to be working; `poll` how often the catalog is
    looked at for what another process does; `stream` how long a bot's message takes pieces of its answer.
    """

    hold: float = 4.5
    dropped: float = 5.0
    last_after: float = 9.5
    pending: float = 600.0
    kept: float = 60.0
    turns: int = 10
    conversation: float = 1800.0
    vouched: float = 10.0
    poll: float = 0.2
    stream: float = 330.0


def from_environ(environ: Mapping[str, str]) -> Accounts:
    """The accounts that the `ZHICE_WECHAT_*` and `ZHICE_WECOM_*` variables describe; those of which none is set are left out.

    Raises:
        SettingError: a value is missing, empty or malformed; the message names its variable.
    """
    return Accounts(_official(environ), _wecom(environ), _bot(environ))


def _official(environ: Mapping[str, str]) -> OfficialAccount | None:
    if not any(name.startswith("ZHICE_WECHAT_") for name in environ):
        return None
    certified = environ.get("ZHICE_WECHAT_CERTIFIED", "0")
    if certified not in ("0", "1"):
        raise SettingError(f"ZHICE_WECHAT_CERTIFIED is {certified!r}; give 1 for a certified account, else 0.")
    return OfficialAccount(
        token=environ.get("ZHICE_WECHAT_TOKEN", ""),
        app_id=environ.get("ZHICE_WECHAT_APP_ID", ""),
        aes_key=environ.get("ZHICE_WECHAT_AES_KEY"),
        secret=environ.get("ZHICE_WECHAT_SECRET", "") if certified == "1" else None,
        api=environ.get("ZHICE_WECHAT_API", WECHAT_API).rstrip("/"),
    )


def _wecom(environ: Mapping[str, str]) -> WeComApp | None:
    names = ("CORP_ID", "AGENT_ID", "SECRET", "TOKEN", "AES_KEY")
    if not any(f"ZHICE_WECOM_{name}" in environ for name in names):
        return None
    corp_id, agent_id, secret, token, aes_key = (environ.get(f"ZHICE_WECOM_{name}", "") for name in names)
    return WeComApp(corp_id, agent_id, secret, token, aes_key, _wecom_api(environ))


def _bot(environ: Mapping[str, str]) -> WeComBot | None:
    names = ("ZHICE_WECOM_BOT_TOKEN", "ZHICE_WECOM_BOT_AES_KEY")
    if not any(name in environ for name in names):
        return None
    token, aes_key = (environ.get(name, "") for name in names)
    return WeComBot(token, aes_key, _wecom_api(environ))


def _wecom_api(environ: Mapping[str, str]) -> str:
    return environ.get("ZHICE_WECOM_API", WECOM_API).rstrip("/")


def _check(name: str, value: str, pattern: re.Pattern[str], wanted: str) -> None:
    # The value may be a secret, so the message says only what is wrong with it.
    if not value:
        raise SettingError(f"{name} is not set or empty; give {wanted}.")
    if not pattern.fullmatch(value):
        raise SettingError(f"{name} has {len(value)} characters that cannot be right; give {wanted}.")


def _check_api(name: str, value: str) -> None:
    try:
        parts = urlsplit(value)
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS)
        known = safe and parts.hostname and not (parts.query or parts.fragment or parts.username)
    except ValueError:
        known = False
    if not known:
        raise SettingError(f"{name} is {value!r}; give an address such as {WECHAT_API}, or leave it out.")
