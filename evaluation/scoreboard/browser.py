"""The browser that pages are looked at in, and how it is started."""

from __future__ import annotations

import os
from typing import Final

CHROMIUM: Final = os.environ.get("ZHICE_CHROMIUM", "/usr/bin/chromium")
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Nothing of its own goes out, and it runs where there is no screen."""

MISSING: Final = f"there is no browser at {CHROMIUM}; ZHICE_CHROMIUM names another"
