"""Boilerplate of crawled pages and newspapers: marked, never cut, so that every offset holds."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace

from ingest.numbering import is_bullet, marker_of
from ingest.readers.building import merge_spans
from ingest.repetition import TextLine, repeated_lines
from vectorstore.passage import Document, Span

# Furniture is short. A longer line is a paragraph, whatever words stand in it.
_LINE_CHARACTERS = 120

_LIST_HEADING = re.compile(
    r"[【\[（(■◆●▍]?\s*(?:推荐阅读|相关阅读|延伸阅读|扩展阅读|相关链接|相关新闻|相关推荐|相关文章|相关报道|热门推荐|热点推荐|为您推荐|"
    r"猜你喜欢|大家都在看|更多精彩(?:内容)?|热门文章|最新文章|热点新闻|往期回顾|往期推荐|精彩推荐|编辑推荐|热门搜索)\s*[】\]）)]?\s*[:：]?"
)
# Words of buttons and tool bars; a line of nothing else is one.
_BUTTONS = (
    "发表评论 我要评论 网友评论 写评论 查看评论 最新评论 评论 展开全文 阅读全文 查看全文 收起全文 点击展开 查看更多 加载更多 阅读原文 "
    "返回顶部 返回首页 返回列表 返回 顶部 打印本页 打印页面 打印文章 打印 关闭本页 关闭页面 关闭窗口 关闭当前浏览窗口 关闭 收藏本站 "
    "加入收藏 添加收藏 收藏 分享到 分享至 分享 复制链接 微信好友 朋友圈 微信扫一扫 扫一扫 微信二维码 二维码 政务微信 政务微博 新浪微博 腾讯微博 "
    "微信 微博 QQ空间 QQ好友 人人网 豆瓣 点赞 在看 举报 我要纠错 纠错 登录 登陆 注册 退出 设为首页 设本站为主页 网站首页 首页 网站地图 联系我们 "
    "关于我们 关于本网站 网站声明 隐私声明 使用帮助 网站使用帮助 网站编辑信箱 管理员信箱 意见反馈 友情链接 加关注 无障碍浏览 无障碍 长者版 适老版 "
    "手机版 电脑版 全屏阅读 浏览字体 字体大小 字体 字号 颜色切换 默认 放大 缩小 大 中 小 繁體 简体 繁体 English RSS订阅 RSS 全文下载 "
    "不良信息举报 中国互联网协会 网络110 上一页 下一页 上一篇 下一篇 尾页 末页 跳转 搜索 本站搜索 高级搜索 更多"
)
_BUTTON_BAR = re.compile(
    "[\\s|｜/·・>＞»【】\\[\\]（）()：:，,、•\\-+]*+(?:(?>"
    + "|".join(sorted(map(re.escape, _BUTTONS.split()), key=len, reverse=True))
    + ")[\\s|｜/·・>＞»【】\\[\\]（）()：:，,、•\\-+0-9]*+)+"
)
# "大", "中" and "小" alone, or a single everyday word, may be a table's heading or a list's entry.
_NOT_A_BAR = re.compile(r"[大中小默认放缩更多返回评论搜索微信打印关闭注册登录收藏首页字体号\s]{1,2}")

_FURNITURE_LINES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?:Baidu|百度(?:地图)?|高德地图|腾讯地图|map|地图)",
        r"(?:[•·]\s*)?(?:关键[字词]|标签)\s*[:：]\s*\S.{0,30}",
        r"\(?（?本文(?:插|配)图\)?）?|(?:图片|配图|视频|封面)来源\s*[:：/].{0,40}|图源\s*[:：/].{0,40}|图片说明",
        r"(?:扫码|长按.{0,6}|欢迎|请|点击上方|点击)?关注[^。]{1,24}(?:微信|公众号|视频号|微博|头条号|抖音)[^。]{0,60}",
        r"(?:扫码|扫描|长按|识别).{0,12}二维码[^。]{0,40}",
        r"(?:(?:手机|官方|新闻)?客户端|APP)\s*[:：].{1,40}|(?:打开|下载|点击下载|安装).{0,16}(?:客户端|APP)[^。]{0,40}",
        r".{0,60}(?:版权所有|Copyright|©|All\s+Rights?\s+Reserved|ICP[备证]|公网安备|网站标识码|保留所有权利).{0,100}",
        r"(?:本文|本网|本站|文章)?[^。]{0,20}未经(?:本网|本站|本报|书面)?(?:授权|许可|允许)[,，]?(?:不得|严禁|禁止|请勿)(?:转载|复制|使用)[^。]{0,20}。?",
        r"(?:版权|免责)声明\s*[:：].{0,110}",
        r"(?:网站)?主办(?:单位)?\s*[:：].{0,40}承办(?:单位)?\s*[:：].{0,30}(?:网站|信息中心|办公室|数据).{0,40}",
        r".{0,30}(?:技术支持|开发维护|网站维护)\s*[:：].{0,40}|.{2,24}(?:提供技术支持|技术支持)",
        r".{0,40}(?:建议使用|推荐使用|以上版本).{0,30}(?:浏览器|分辨率).{0,40}|.{0,20}(?:浏览器|最佳)分辨率\s*[:：].{0,20}",
        r"(?:上一篇|下一篇|上一条|下一条|前一篇|后一篇|Prev|Next)\s*[:：].{0,100}",
        r"(?:访问量|访问次数|浏览次数|浏览量|阅读次数|阅读量|点击数|点击量|累计访问)\s*[:：]?\s*\d*\s*次?",
        r"[—–―\-－]{1,3}\s*\d{1,4}\s*[—–―\-－]{1,3}|第\s*\[?\d{1,4}\]?\s*页(?:\s*[,，/]?\s*共\s*\d{1,4}\s*页)?",
        r"[（(]?(?:全文(?:完|结束)|本文完|正文完|完)[)）]|您当前的?位置\s*[:：].{0,80}|当前位置\s*[:：].{0,80}",
        r"您(?:的浏览器)?(?:不支持|未启用|禁用了?).{0,20}(?:JavaScript|脚本).{0,40}",
        # what a code hosting site puts around a file
        r"Skip to content|Fetching contributors.*|Cannot retrieve contributors.*|You can.t perform that action at this time\.?",
        r"You signed (?:in|out) (?:with|in) another tab.*|Raw Blame History|Download History|\d+ lines \(\d+ sloc\).*|Jump to Line",
        r"\d+(?:\.\d+)? [KM]B|Sorry, (?:something went wrong|we cannot display this file|this file is invalid).{0,60}",
    )
)
_ROLE = (
    r"(?:值班|责任|执行|本版|版式|视觉|图片|新媒体)?(?:主编|总编|编审|编辑|责编|美编|审读|审核|审稿人?|审校|排版|校对|校审|终审|复审|初审|"
    r"监制|统筹|制图|设计|编发)"
)
_NAME = r"[\u4e00-\u9fff·]{2,4}(?:\s+[\u4e00-\u9fff](?=\s|$))?"
# 主编 赵某 美编 李某 排版 王某; "责任编辑：张某"
_COLOPHON = re.compile(
    rf"[\s（(【\[]*(?:{_ROLE}\s*[:：/／\s]\s*{_NAME}(?:\s*[、,，]\s*{_NAME})*[\s|｜;；]*)+[\s）)】\]]*"
)
_COPYRIGHT_TAIL = re.compile(
    r"(?:本文|文章)[为系]?[^。！？]{0,16}原创[,，；;][^。！？]{0,30}(?:转载|授权)[^。！？]{0,20}。?\s*$"
)


def mark_boilerplate(document: Document) -> Document:
    """The same document with more of its text marked as boilerplate.

    Marked are menus and tool bars, lists of recommended articles, comment and share bars, picture credits, calls to
    follow an account, copyright and site notices, newspaper colophons, page numbers, and the later copies of repeated
    headlines and paragraphs. Rows of tables are never marked, nor copies within a numbered structure, where each
    belongs to its own clause; of whatever stands more than once, one copy always stays.
    """
    lines = list(_open_lines(document))
    spans: list[Span] = list(document.boilerplate)
    in_list = False
    rest: list[TextLine] = []
    for line in lines:
        in_list = bool(_LIST_HEADING.fullmatch(line.text)) or (in_list and _is_recommendation(line.text))
        if in_list or is_furniture(line.text):
            spans.append((line.start, line.end))
            continue
        tail = _COPYRIGHT_TAIL.search(line.text)
        if tail and tail.start():
            spans.append((line.start + tail.start(), line.end))
        rest.append(line)
    spans += repeated_lines(rest)
    return replace(document, boilerplate=merge_spans(spans))


def is_furniture(line: str) -> bool:
    """Whether a line, white space at its ends stripped, is page furniture by its words alone."""
    if len(line) > _LINE_CHARACTERS:
        return False
    if any(pattern.fullmatch(line) for pattern in _FURNITURE_LINES):
        return True
    if _BUTTON_BAR.fullmatch(line) and not _NOT_A_BAR.fullmatch(line):
        return True
    return _COLOPHON.fullmatch(line) is not None


def _is_recommendation(line: str) -> bool:
    """Whether a line goes on a list of recommended articles: an entry, no sentence, no numbering of a policy."""
    if is_bullet(line):
        return len(line) <= _LINE_CHARACTERS
    return len(line) <= 60 and not re.search(r"[。；：]|^附件|年\d{1,2}月\d{1,2}日$", line) and marker_of(line) is None


def _open_lines(document: Document) -> Iterator[TextLine]:
    """Non-blank lines outside tables and what is already marked."""
    tables = [start for start, _ in document.tables]
    marked = [start for start, _ in document.boilerplate]
    headings = {heading.start for heading in document.headings}
    position = 0
    for raw in document.text.split("\n"):
        text = raw.strip()
        start = position + len(raw) - len(raw.lstrip())
        position += len(raw) + 1
        table = bisect_right(tables, start) - 1
        mark = bisect_right(marked, start) - 1
        if not text or (table >= 0 and start < document.tables[table][1]):
            continue
        if mark >= 0 and start < document.boilerplate[mark][1]:
            continue
        yield TextLine(start, start + len(text), text, start in headings)
