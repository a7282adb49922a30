"""Every piece of HTML comes from a template here, with autoescape on: text never becomes markup."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from channels.render import folded
from channels.texts import Language, say

_CJK: Final = re.compile(r"[\u3400-\u9fff]")
_MEDIA_TYPES: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


def render(template: str, language: Language, **values: object) -> str:
    """A template filled in; inside it `say` speaks the language."""

    def in_language(phrase: str, **placeholders: object) -> str:
        return say(language, phrase, **placeholders)

    return _environment().get_template(template).render(language=language, say=in_language, **values)


def language_of(text: str) -> str:
    """The `lang` of a piece of text, so that the browser picks the right glyphs for it."""
    return "zh-CN" if _CJK.search(text) else "en"


@cache
def assets() -> dict[str, tuple[bytes, str]]:
    """The static files by name: their bytes and media type; nothing else is served from the folder."""
    found = {}
    for entry in files("channels").joinpath("static").iterdir():
        media_type = _MEDIA_TYPES.get(entry.name.rpartition(".")[2])
        if media_type:
            found[entry.name] = (entry.read_bytes(), media_type)
    return found


def asset(name: str) -> str:
    """The address of a static file; it changes with the content, so browsers may keep the file for good."""
    digest = hashlib.sha256(assets()[name][0]).hexdigest()[:10]
    return f"/zhice/{name}?v={digest}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("channels"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["folded"] = folded
    environment.filters["language_of"] = language_of
    environment.globals["asset"] = asset
    return environment
