"""Writes the pictures of the page and the viewer in docs/images, from the sample policies alone.

Run it by itself: `python tests/channels/screenshots.py`. ZHICE_CHROMIUM names another browser.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import uvicorn  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402

from assistant.assembly import Assistant  # noqa: E402
from channels.server import build_app  # noqa: E402
from ingest.isolation import IsolatedReader  # noqa: E402
from ingest.pipeline import ingest_again, ingest_samples, ingest_upload  # noqa: E402
from vectorstore.store import PolicyStore  # noqa: E402

IMAGES = ROOT / "docs" / "images"
QUESTION = "园区管理机构每年最高能拿到多少奖补？"


def main() -> None:
    """Serve the samples, ask the question, and take the pictures."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Assistant(PolicyStore(Path(folder))) as assistant,
        IsolatedReader() as reader,
    ):
        store = assistant.store
        ingest_samples(store)
        app = build_app(
            assistant,
            add_document=lambda name, data: ingest_upload(store, name, data, reader),
            read_again=lambda document_id: ingest_again(store, document_id, reader),
            remove_document=store.remove,
            admin_password=None,
        )
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.05)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=os.environ.get("ZHICE_CHROMIUM", "/usr/bin/chromium"),
                    args=["--headless", "--no-sandbox", "--disable-gpu"],
                )
                take(browser, f"http://127.0.0.1:{listener.getsockname()[1]}")
                browser.close()
        finally:
            server.should_exit = True
            thread.join()


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
