"""Boilerplate of crawled pages and newspapers: marked, never cut, so that every offset holds.

A line is marked for what it says (a share bar, a colophon), for standing in a list of links, or for repeating another
line. A line inside an article or a table is never marked, and of repeated text one copy always stays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

from vectorstore.passage import Document, Span

_DECORATION = " \t　·•*■◆●▲▶>»-—_=|【】[]（）()"

# Whole lines, decoration aside, that belong to a page and not to its text.
_PAGE_LINE = re.compile(
    r"""
    展开全文 | 发表评论 | 查看更多.{0,6} | 点击.{0,8}(?:查看|阅读|下载|进入).{0,8} | 阅读(?:原文|全文|量.*|\s*\d+) | 收藏(?:本站)? | 点赞.* | 评论\s*\d* | 举报.{0,4} | 登录.{0,6} | 注册
  | 首页(?:\s*[>»›/].*)? | (?:当前|您的?)(?:所在)?位置\s*[:：].* | 返回(?:首页|顶部|列表|上一页) | 网站(?:首页|地图).* | 设为首页.* | 加入收藏.*
  | (?:上|下)一(?:篇|页|条)\s*[:：]?.* | 相关(?:阅读|链接|新闻|文章|推荐) | (?:本文)?插图 | 图片来源\s*[:：].* | 图\s*[/／|]\s*\S{1,12}
  | 分享(?:到|至).* | (?:打印|关闭)(?:本页|窗口)?(?:\s.*)? | 字\s*(?:体|号)\s*[:：]?.{0,16} | 大\s+中\s+小 | 浏览(?:次数|量)?\s*[:：]\s*\d+.* | 扫(?:一扫|码).{0,24}
  | 关注.{0,24}(?:微信|公众号|微博).* | .{0,12}(?:客户端|APP)\s*[:：].{0,40} | (?:责任)?编辑\s*[:：].{0,20} | 责编\s*[:：]?.{0,20} | (?:审稿人?|校对|排版|美编|监制)\s*[/／:：]?\s*\S{1,12}
  | (?=.*主编)(?=.*(?:美编|排版|审读)).{6,60} | 版权(?:所有|声明).{0,60} | .{0,20}未经(?:授权|许可|允许).{0,8}(?:转载|复制).{0,20} | (?:京|沪|粤|鲁|浙|苏)?ICP备.* | .{0,8}公网安备.*
  | 主办(?:单位)?\s*[:：].{0,40} | 承办(?:单位)?\s*[:：].{0,40} | 技术支持\s*[:：].{0,40} | Baidu | map | Copyright.* | ©.* | (?:来源|关键[字词]|标签)\s*[:：]\S{1,30}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LINK_LIST = re.compile(r"(?:推荐阅读|相关(?:阅读|链接|新闻|文章|推荐)|延伸阅读|热门(?:文章|推荐|阅读)|猜你喜欢|更多(?:精彩|新闻|文章).{0,6})\s*[:：]?$")
_LINK_ITEM = re.compile(r"\s*(?:[-•·*▪●]|\d{1,2}[.、])\s*\S")
_STRUCTURE = re.compile(r"\s*(?:第[一二三四五六七八九十百零〇\d]+[编章节条]|[（(][一二三四五六七八九十\d]+[）)]|[一二三四五六七八九十]+、|\d{1,2}[.．、]\s*\S|#{1,6}\s)|.*\s\|\s")

# Shorter lines repeat by chance (a name, a heading of two boxes); these many characters do not.
_SHORTEST_REPEAT = 10
_SHORTEST_CONTAINED = 25


def mark_boilerplate(document: Document) -> Document:
    """The document with the boilerplate found in its text added to what its reader marked."""
    lines = list(_lines(document.text))
    kept = [line for line in lines if not _inside(line, document.boilerplate) and not _inside(line, document.tables)]
    spans = [*document.boilerplate, *_page_lines(document.text, kept), *_link_lists(document.text, kept)]
    rest = [line for line in kept if not _inside(line, spans)]
    spans += _repeats(document.text, rest)
    return replace(document, boilerplate=_merged(spans))


def _page_lines(text: str, lines: Sequence[Span]) -> Iterator[Span]:
    for start, end in lines:
        line = text[start:end].strip(_DECORATION)
        if not line or _PAGE_LINE.fullmatch(line):
            if line:
                yield start, end


def _link_lists(text: str, lines: Sequence[Span]) -> Iterator[Span]:
    inside = False
    for start, end in lines:
        line = text[start:end]
        if _LINK_LIST.match(line.strip(_DECORATION)):
            inside = True
            yield start, end
        elif inside and (not line.strip() or _LINK_ITEM.match(line)) and not line.rstrip().endswith("。"):
            if line.strip():
                yield start, end
        else:
            inside = False


def _repeats(text: str, lines: Sequence[Span]) -> Iterator[Span]:
    """Later copies of a line, and lines that another line holds whole."""
    plain = [(span, _plain(text[slice(*span)])) for span in lines if not _STRUCTURE.match(text[slice(*span)])]
    seen: set[str] = set()
    long = [words for _, words in plain if len(words) >= _SHORTEST_CONTAINED]
    for span, words in plain:
        if len(words) < _SHORTEST_REPEAT:
            continue
        if words in seen or (
            len(words) >= _SHORTEST_CONTAINED and any(words in other and words != other for other in long)
        ):
            yield span
        seen.add(words)


def _plain(line: str) -> str:
    return "".join(character for character in unicodedata.normalize("NFKC", line) if character.isalnum())


def _lines(text: str) -> Iterator[Span]:
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if text[start:end].strip():
            yield start, end
        start = end + 1


def _inside(line: Span, spans: Sequence[Span]) -> bool:
    return any(start <= line[0] and line[1] <= end for start, end in spans)


def _merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
