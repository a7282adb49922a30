"""Settings: read once from the environment, checked, and passed down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from platformdirs import user_data_path

from assistant.errors import SettingError
from assistant.model import ModelSettings
from vectorstore.place import Place

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set; `from_environ` names the variables.

    `database_url` and `chroma_url` name the servers that the catalog and the index are on, where that is not the folder
    `data_dir`; `chroma_headers` go with what is sent to the latter. `public_url` is what the outside calls this server, without a slash behind it; forwarded addresses are believed from
    `trusted_proxies` only. With `keyed`, nobody asks without a key. `admin_password`, or its Argon2 hash, guards adding and
    removing documents; it is never shown by `repr`. `tracing` lets LangChain send what it does to LangSmith, if
    LangSmith's own variables ask for it. `log` is what a line of the server's log looks like.
    """

    data_dir: Path
    encoder: str | None = None
    reranker: str | None = None
    model: ModelSettings | None = None
    host: str = "127.0.0.1"
    port: int = 7860
    admin_password: str | None = None
    public_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    keyed: bool = False
    samples: bool = True
    tracing: bool = False
    log: Literal["text", "json"] = "text"
    database_url: str | None = None
    chroma_url: str | None = None
    chroma_headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        """Where the knowledge base lies."""
        return Place(self.data_dir, self.database_url, self.chroma_url, self.chroma_headers)

    def __repr__(self) -> str:
        password, database, chroma = (
            "set" if given else "not set" for given in (self.admin_password, self.database_url, self.chroma_url)
        )
        return (
            f"Settings(data_dir={self.data_dir}, encoder={self.encoder}, reranker={self.reranker}, "
            f"model={self.model}, host={self.host}, port={self.port}, public_url={self.public_url}, "
            f"trusted_proxies={self.trusted_proxies}, keyed={self.keyed}, "
            f"samples={self.samples}, tracing={self.tracing}, log={self.log}, admin_password={password}, "
            f"database_url={database}, chroma_url={chroma})"
        )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], *, data_dir: str | Path | None = None) -> Settings:
        """Read the `ZHICE_*` variables; `data_dir` given by the caller wins over ZHICE_DATA_DIR.

        Raises:
            SettingError: a value cannot be used; the message names the variable.
        """
        folder = data_dir or environ.get("ZHICE_DATA_DIR") or user_data_path("zhice", appauthor=False)
        return cls(
            data_dir=Path(folder).expanduser(),
            encoder=environ.get("ZHICE_ENCODER") or None,
            reranker=environ.get("ZHICE_RERANKER") or None,
            model=_model(environ),
            host=environ.get("ZHICE_HOST") or "127.0.0.1",
            port=_port(environ.get("ZHICE_PORT") or "7860"),
            admin_password=environ.get("ZHICE_ADMIN_PASSWORD") or None,
            public_url=_url("ZHICE_PUBLIC_URL", environ),
            trusted_proxies=tuple(environ.get("ZHICE_TRUSTED_PROXIES", "").replace(",", " ").split()),
            keyed=_asking(environ.get("ZHICE_ASKING") or "open"),
            samples=_switch("ZHICE_SAMPLES", environ.get("ZHICE_SAMPLES") or "1"),
            tracing=_switch("ZHICE_TRACING", environ.get("ZHICE_TRACING") or "0"),
            log=_log(environ.get("ZHICE_LOG") or "text"),
            database_url=_database(environ),
            chroma_url=_url("ZHICE_CHROMA_URL", environ),
            chroma_headers=_headers("ZHICE_CHROMA_HEADERS", environ),
        )

    def check_serving(self) -> None:
        """Refuse to open the page to other machines without a password.

        Raises:
            SettingError: other machines can reach the server, or asking is keyed, and no admin password is set.
        """
        if self.host not in LOCAL_HOSTS and not self.admin_password:
            raise SettingError(
                f"ZHICE_HOST is {self.host}, which other machines can reach, but ZHICE_ADMIN_PASSWORD is not set: "
                "anyone could add and remove documents. Set a password, or use 127.0.0.1."
            )
        if (self.public_url or self.keyed) and not self.admin_password:
            name = "ZHICE_PUBLIC_URL" if self.public_url else "ZHICE_ASKING"
            raise SettingError(
                f"{name} is set, but ZHICE_ADMIN_PASSWORD is not: anyone could add and remove documents. Set a password."
            )


def _model(environ: Mapping[str, str]) -> ModelSettings | None:
    name = environ.get("ZHICE_MODEL")
    if not name:
        return None
    return ModelSettings(
        name,
        base_url=environ.get("ZHICE_BASE_URL") or None,
        api_key=environ.get("ZHICE_API_KEY") or None,
        connect=_positive("ZHICE_MODEL_CONNECT", environ, 5.0),
        first_token=_positive("ZHICE_MODEL_FIRST_TOKEN", environ, 20.0),
        whole=_positive("ZHICE_MODEL_WHOLE", environ, 60.0),
        budget=int(_positive("ZHICE_MODEL_TOKENS", environ, 3000)),
    )


def _positive(name: str, environ: Mapping[str, str], default: float) -> float:
    value = environ.get(name)
    if not value:
        return default
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise SettingError(f"{name} is {value!r}; give a number above 0.")
    return number


def _url(name: str, environ: Mapping[str, str]) -> str | None:
    value = (environ.get(name) or "").rstrip("/")
    if not value:
        return None
    try:
        parts = urlsplit(value)
        known = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
    except ValueError:
        known = False
    if not known:
        raise SettingError(f"{name} is {value!r}; give an address such as https://zhice.example.com.")
    return value


def database_address(value: str, name: str) -> str:
    """The address of a PostgreSQL database, as it is; `name` is the setting that gives it.

    Raises:
        SettingError: it is none.
    """
    if not value.startswith(("postgresql://", "postgres://")):
        raise SettingError(f"{name} is no address of PostgreSQL; give one such as postgresql://user@host:5432/zhice.")
    return value


def _database(environ: Mapping[str, str]) -> str | None:
    value = environ.get("ZHICE_DATABASE_URL")
    return database_address(value, "ZHICE_DATABASE_URL") if value else None


def _headers(name: str, environ: Mapping[str, str]) -> Mapping[str, str]:
    value = environ.get(name)
    if not value:
        return {}
    try:
        headers = json.loads(value)
    except ValueError:
        headers = None
    if not isinstance(headers, dict) or not all(isinstance(each, str) for each in headers.values()):
        raise SettingError(f'{name} is no JSON object of texts; give one such as {{"Authorization": "Bearer KEY"}}.')
    return headers


def _log(value: str) -> Literal["text", "json"]:
    if value == "json":
        return "json"
    if value == "text":
        return "text"
    raise SettingError(f"ZHICE_LOG is {value!r}; give text or json.")


def _asking(value: str) -> bool:
    if value not in ("open", "keyed"):
        raise SettingError(f"ZHICE_ASKING is {value!r}; give open or keyed.")
    return value == "keyed"


def _port(value: str) -> int:
    if not value.isdecimal() or not 0 <= int(value) < 65536:
        raise SettingError(f"ZHICE_PORT is {value!r}; give a port number up to 65535, or 0 for any that is free.")
    return int(value)


def _switch(name: str, value: str) -> bool:
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off"):
        return False
    raise SettingError(f"{name} is {value!r}; give 1 or 0.")
