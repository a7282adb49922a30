"""Writes the pictures of the page and the viewer in docs/images, from the sample policies alone.

Run it by itself: `python tests/channels/screenshots.py`. ZHICE_CHROMIUM names another browser.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from evaluation.scoreboard.browser import CHROMIUM, FLAGS  # noqa: E402
from evaluation.scoreboard.served import serving  # noqa: E402

IMAGES = ROOT / "docs" / "images"
QUESTION = "园区管理机构每年最高能拿到多少奖补？"


def main() -> None:
    """Serve the samples, ask the question, and take the pictures."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "kb") as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        take(browser, server.address)
        browser.close()


def take(browser: Browser, address: str) -> None:
    """page.png, page-phone.png and viewer.png."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    for name, width, height in (("page", 1280, 800), ("page-phone", 390, 844)):
        context = browser.new_context(
            locale="zh-CN", viewport={"width": width, "height": height}, reduced_motion="reduce"
        )
        page = context.new_page()
        page.goto(address)
        page.fill("#question textarea", QUESTION)
        page.keyboard.press("Enter")
        page.wait_for_selector('.turn[data-state="done"] .marker')
        page.locator(".said .marker").first.click()
        page.locator("#evidence mark").wait_for()
        page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
        page.wait_for_timeout(500)
        page.screenshot(path=IMAGES / f"{name}.png")
        if name == "page":
            link = page.locator("#evidence .open-source").get_attribute("href")
            page.goto(f"{address}{link}")
            page.screenshot(path=IMAGES / "viewer.png")
        context.close()


if __name__ == "__main__":
    main()
