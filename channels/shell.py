"""The frame that Gradio's page is delivered in: its HTML with our head, and a nonce on every script."""

from __future__ import annotations

import re
from typing import Final

from channels.templating import asset
from channels.texts import Language, say

STYLES: Final = (
    "page.css", "desk.css", "talk.css", "evidence.css", "documents.css", "filters.css", "correction.css",
)  # fmt: skip
SCRIPTS: Final = ("page.js", "filters.js", "documents.js")

_OPEN_GRAPH: Final = re.compile(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')
_MANIFEST: Final = re.compile(r'<link rel="manifest"[^>]*>')
_SCRIPT: Final = re.compile(r"<script\b(?![^>]*\bnonce=)")


def framed(page: str, nonce: str, language: Language) -> str:
    """Gradio's index page without what describes Gradio, with our style sheets, scripts and title.

    Only the template's own tags are touched: what it embeds as JSON holds no `<`, so no other text can gain a nonce.
    """
    page = _MANIFEST.sub("", _OPEN_GRAPH.sub("", page))
    styles = "".join(f'<link rel="stylesheet" href="{asset(name)}">\n' for name in STYLES)
    scripts = "".join(f'<script src="{asset(name)}"></script>\n' for name in SCRIPTS)
    head = (
        f"<title>{say(language, 'page_title')}</title>\n"
        f'<meta name="description" content="{say(language, "promise")}">\n'
        f'<link rel="icon" href="{asset("mark.svg")}" type="image/svg+xml">\n'
        f"{styles}{scripts}"
    )
    page = page.replace("</head>", head + "</head>", 1)
    page = page.replace('lang="en"', f'lang="{"zh-CN" if language == "zh" else "en"}"', 1)
    return _SCRIPT.sub(f'<script nonce="{nonce}"', page)
