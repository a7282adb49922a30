"""Zhice in WeChat and WeCom: one router for official accounts, self-built apps and bots."""

from channels.wechat.routes import router
from channels.wechat.settings import Accounts, OfficialAccount, Waits, WeComApp, WeComBot, from_environ

__all__ = ["Accounts", "OfficialAccount", "Waits", "WeComApp", "WeComBot", "from_environ", "router"]
