"""Zhice in WeChat, in an app of your own: `uvicorn --factory examples.wechat_bot:app --port 8000`.

The ZHICE_WECHAT_* or ZHICE_WECOM_* variables name the accounts, ZHICE_PUBLIC_URL this server's address.
"""

import os

from fastapi import FastAPI

from assistant import open_assistant
from channels import wechat
from channels.viewer import viewer


def app() -> FastAPI:
    """Your app, with WeChat's callbacks and the source viewer that the links in answers lead to."""
    assistant, public_url = open_assistant(), os.environ.get("ZHICE_PUBLIC_URL")
    accounts = wechat.from_environ(os.environ)
    bot = FastAPI()
    bot.include_router(
        wechat.router(
            assistant, public_url=public_url, official=accounts.official, wecom=accounts.wecom, bot=accounts.bot
        )
    )
    bot.include_router(viewer(assistant, public_url=public_url))
    return bot
