"""The interface's own words in both languages; what an answer says comes from the answer itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Language = Literal["zh", "en"]

# Questions that the sample policies answer; shown while a conversation is empty.
EXAMPLES: Final = (
    "园区管理机构每年最高能拿到多少奖补？",
    "博士来海州工作有多少安家补贴？",
    "What subsidy does a park manager get?",
    "申请奖励要提交哪些材料？",
)

LANGUAGE_COOKIE: Final = "zhice_language"

_PHRASES: Final[Mapping[str, tuple[str, str]]] = {
    # the page
    "name": ("知策", "Zhice"),
    "promise": ("每个答案，都能逐字对照原文", "Every answer can be checked, word for word, in its source"),
    "page_title": ("知策 Zhice · 政策问答", "Zhice 知策 · Policy answers"),
    "tab_ask": ("问答", "Ask"),
    "tab_documents": ("文件", "Documents"),
    "switch_language": ("English", "中文"),
    "switch_theme": ("切换深色或浅色", "Switch between dark and light"),
    "skip": ("跳到提问框", "Skip to the question box"),
    # asking
    "conversation": ("问答记录", "Conversation"),
    "welcome": ("问一件政策里写着的事", "Ask about anything the policies say"),
    "welcome_more": (
        "知策只依据已收录的文件作答。每句话后面的编号通向它所依据的原文；找不到依据时，会直接说没有。",
        "Zhice answers from the documents on file and nothing else. The number behind each sentence leads to the "
        "words it stands on; where there is no basis, it says so.",
    ),
    "examples": ("可以这样问", "For example"),
    "question_label": ("问题", "Question"),
    "question_hint": ("输入政策问题，回车发送", "Ask a question, Enter sends it"),
    "send": ("发送", "Send"),
    "stop": ("停止", "Stop"),
    "new_conversation": ("新对话", "New conversation"),
    "asking": ("正在查找并核对原文…", "Looking up and checking the sources…"),
    "stopped": ("已停止。", "Stopped."),
    "you_asked": ("您的问题", "Your question"),
    "answer": ("答复", "Answer"),
    "edit": ("修改", "Edit"),
    "again": ("重新提问", "Ask again"),
    "ask_edited": ("按修改后的问题提问", "Ask the edited question"),
    "cancel": ("取消", "Cancel"),
    "edit_label": ("修改这个问题（之后的问答会被替换）", "Edit this question (what follows it is replaced)"),
    "copy": ("复制", "Copy"),
    "copied": ("已复制", "Copied"),
    "good": ("有帮助", "Helpful"),
    "bad": ("有问题", "Not right"),
    "reason_label": ("哪里不对？（可不填）", "What is wrong with it? (optional)"),
    "send_reason": ("提交", "Send"),
    "thanks": ("已记录，谢谢。", "Noted, thank you."),
    "read_as": ("按此理解：", "Read as: "),
    "warnings": ("使用前请注意", "Before you rely on this"),
    "status_partial": ("部分答复", "Partial answer"),
    "status_not_found": ("未找到依据", "No basis found"),
    "status_clarify": ("需要您补充", "One question back"),
    "status_info": ("说明", "About this assistant"),
    "reading": ("找到了以下内容，正在据此作答：", "These passages were found; the answer is being written from them:"),
    "reading_mark": ("找到的原文", "Found in the source"),
    "went_wrong": (
        "这次没有答成，问题已记入日志。请重新提问；若仍不行，请告知管理员。",
        "This one failed, and the log says why. Ask again; if it fails again, tell the administrator.",
    ),
    "too_long": (
        "问题有{count}个字，最多可以读{limit}个字，请缩短后再问。",
        "The question has {count} characters; at most {limit} are read. Shorten it and ask again.",
    ),
    "busy": ("现在提问的人太多，请稍后再问。", "Too many people are asking right now; try again in a moment."),
    "too_fast": (
        "提问太快了，请在{seconds}秒后再问。",
        "That was a lot of questions; ask again in {seconds} seconds.",
    ),
    # filters
    "filters": ("筛选", "Filters"),
    "filters_hint": (
        "只用符合条件的文件作答；不选就是全部。",
        "Only documents that are so are used; with nothing chosen, all are.",
    ),
    "filter_any": ("不限", "Any"),
    "filter_region": ("地区", "Region"),
    "filter_issuer": ("发文机关", "Issuer"),
    "filter_kind": ("文种", "Kind"),
    "filter_level": ("层级", "Level"),
    "filter_document_id": ("文件编号", "Document"),
    "filter_year": ("年份", "Year"),
    "filter_validity": ("有效性", "Validity"),
    "filter_as_of": ("按哪一天作答", "Answer as of"),
    "filter_in_force": ("现行有效（含未注明期限）", "In force, or no period stated"),
    "filter_expired": ("已失效（到期或被替代）", "Ended: expired or replaced"),
    "filter_today": ("不填即今天", "Today if empty"),
    "filter_clear": ("清除筛选", "Clear filters"),
    "filter_remove": ("取消这项筛选", "Remove this filter"),
    "as_of_day": ("按{day}作答", "as of {day}"),
    "bad_day": (
        "“按哪一天作答”不是一个完整的日期。请写成 2026-01-31 这样的形式，或者清空；问题还在输入框里。",
        "“Answer as of” is no whole date. Write it like 2026-01-31 or leave it empty; your question is still there.",
    ),
    # evidence
    "evidence": ("依据", "Evidence"),
    "evidence_empty": (
        "点开答复里的编号，这里会显示它所依据的原文和上下文。",
        "Open a number in an answer, and the words it stands on appear here with what surrounds them.",
    ),
    "source_number": ("依据 {number}：{title}", "Source {number}: {title}"),
    "close": ("关闭", "Close"),
    "issuer": ("发文机关", "Issuer"),
    "doc_no": ("文号", "Doc. no."),
    "published": ("发布日期", "Published"),
    "valid": ("有效期", "In force"),
    "valid_from": ("自{date}起", "from {date}"),
    "valid_until": ("至{date}", "until {date}"),
    "section": ("位置", "Place"),
    "kind": ("文种", "Kind"),
    "kind_news": ("新闻报道", "News report"),
    "kind_reading": ("政策解读", "Explanation"),
    "table_row": ("表格中的一行", "A row of a table"),
    "page": ("第{page}页", "page {page}"),
    "exact": ("引文与原文逐字一致", "Quote matches the source exactly"),
    "inexact": ("引文与原文不符，请勿采用", "Quote does not match the source: do not use it"),
    "open_source": ("在原文中查看", "Open in the source"),
    "new_tab": ("（新标签页）", "(new tab)"),
    # documents
    "documents_intro": (
        "答案只来自这里列出的文件。支持 PDF（含扫描件）、图片、Word（DOCX、DOC、WPS、RTF、ODT）、表格（XLSX、XLS、ODS）、"
        "HTML、TXT、Markdown，以及打包这些文件的 ZIP，每个不超过50 MB。",
        "Answers come from the documents listed here and nothing else. PDF (scans, too), pictures, text documents "
        "(DOCX, DOC, WPS, RTF, ODT), spreadsheets (XLSX, XLS, ODS), HTML, TXT and Markdown files can be added, and ZIP "
        "archives of these, up to 50 MB each.",
    ),
    "documents_none": ("还没有文件。请在下面添加第一份。", "There are no documents yet. Add the first one below."),
    "documents_count": ("共{count}份文件", "Documents: {count}"),
    "title": ("标题", "Title"),
    "file": ("文件名", "File"),
    "version": ("版本", "Version"),
    "status": ("状态", "Status"),
    "actions": ("操作", "Actions"),
    "in_force": ("有效", "In force"),
    "expired": ("已到期", "Expired"),
    "not_yet": ("未生效", "Not yet in force"),
    "superseded": ("已被替代", "Replaced"),
    "sample": ("示例", "Sample"),
    "undated": ("未注明期限", "No period stated"),
    "open": ("查看", "Open"),
    "read_again": ("重新读取", "Read again"),
    "remove": ("移出", "Remove"),
    "remove_sure": ("移出后不再用于作答，旧引文仍可打开。", "It will no longer be used; old citations still open."),
    "remove_yes": ("确认移出", "Remove it"),
    "changes": ("查看变化", "What changed"),
    "notes_hint": ("读取时有{count}条提示，请核对", "{count} remarks from reading: check the original"),
    # correcting
    "correct": ("更正信息", "Correct"),
    "correct_hint": (
        "这里改的是文件的信息，不改原文；重新读取文件后更正仍然有效。改回读到的值就是取消更正。",
        "This corrects what is known of the document, not its text, and outlasts reading the file again. Setting a "
        "field back to what was read undoes it.",
    ),
    "corrected_field": ("已更正", "Corrected"),
    "as_read": ("读到的是：{value}", "Read as: {value}"),
    "as_read_none": ("原先没有读到", "Nothing was read"),
    "set_back": ("改回", "Set back"),
    "save": ("保存", "Save"),
    "valid_from_field": ("有效期自", "In force from"),
    "valid_until_field": ("有效期至", "In force until"),
    "region": ("地区", "Region"),
    "level": ("层级", "Level"),
    "corrected": ("信息已更正", "corrected"),
    "correct_day": (
        "“{field}”不是一个日期，请写成 2026-01-31 这样的形式。",
        "“{field}” is no date; write it like 2026-01-31.",
    ),
    "correct_text": (
        "“{field}”不能这样填写，最多300个字。",
        "“{field}” cannot be that; it takes at most 300 characters.",
    ),
    "correct_period": (
        "有效期的结束日期早于开始日期，请核对。",
        "The period ends before it begins; set the dates right.",
    ),
    "uncorrected": ("未能更正", "not corrected"),
    "upload": ("添加文件：拖到这里或点击选择", "Add files: drop them here or click to choose"),
    "upload_reading": ("正在读取第{done}份，共{total}份：{name}", "Reading {done} of {total}: {name}"),
    "upload_done": ("处理完毕", "Done"),
    "added": ("已添加", "added"),
    "updated": ("已更新为新版本", "updated to a new version"),
    "unchanged": ("内容没有变化", "unchanged"),
    "waiting": (
        "已收下，排队等候读取，稍后会出现在列表里",
        "kept; it waits in the queue and will be in the list later",
    ),
    "removed": ("已移出", "removed"),
    "failed": ("未能读取", "not read"),
    "failed_unknown": (
        "处理时出错，详情已记入日志；请检查文件后再试。",
        "Something went wrong and the log says what; check the file and try again.",
    ),
    "too_large": ("超过50 MB，请拆分后再添加。", "It is larger than 50 MB; split it into parts."),
    # administration
    "sign_in_intro": ("管理文件需要管理员口令。", "Managing documents takes the administrator's password."),
    "password": ("管理员口令", "Administrator's password"),
    "sign_in": ("登录", "Sign in"),
    "sign_out": ("退出", "Sign out"),
    "wrong_password": ("口令不对，请重新输入。", "That is not the password; try again."),
    "wait": ("尝试次数过多，请在{seconds}秒后再试。", "Too many tries; try again in {seconds} seconds."),
    "keyed": (
        "这里需要登录后才能提问：请先在“文件”一栏登录。",
        "Asking needs signing in here: sign in under “Documents” first.",
    ),
    "not_signed_in": ("请先登录再管理文件。", "Sign in before managing documents."),
    # the source viewer
    "viewer_home": ("返回问答", "Back to the questions"),
    "viewer_version": ("第{version}版", "Version {version}"),
    "viewer_newer": (
        "此处为旧版本；文件已有更新的版本。",
        "This is an old version; there is a newer one.",
    ),
    "viewer_newest": ("打开最新版本", "Open the newest version"),
    "viewer_changes": ("查看与最新版本的差别", "See what changed since"),
    "viewer_note": ("读取提示：", "From reading: "),
    # what changed between two versions
    "changes_of": ("《{title}》的变化", "What changed in {title}"),
    "changes_compared": ("第{old}版与第{new}版对照", "Version {old} against version {new}"),
    "changes_count": (
        "共{count}处不同，逐句列出；变了的数字有标记。",
        "Different sentences: {count}. Numbers that changed are marked.",
    ),
    "changes_none": ("正文没有变化。", "The text is the same."),
    "changes_single": ("这份文件只有一个版本，没有可以对照的。", "There is one version of this document only."),
    "changes_more": (
        "另有{count}处未列出；命令 zhice diff 列出全部。",
        "{count} more are not shown; the command zhice diff lists all.",
    ),
    "changes_long": (
        "文件太长，不在这里逐句对照；命令 zhice diff 可以对照。",
        "The document is too long to be compared here; the command zhice diff compares it.",
    ),
    "changes_from": ("旧版", "Old version"),
    "changes_to": ("新版", "New version"),
    "change_added": ("新增", "Added"),
    "change_removed": ("删去", "Removed"),
    "change_changed": ("修改", "Changed"),
    "viewer_removed": (
        "此文件已移出知识库，不再用于作答；保留于此，供核对旧引文。",
        "This document has been taken out and is no longer used; it is kept so that old citations can be checked.",
    ),
    "viewer_samples": (
        "这是随程序附带的示例政策，并非真实文件。",
        "This is a sample policy that ships with the program; it is not real.",
    ),
    "keyed_text": (
        "请先登录，或者使用答案里的短链接打开原文。",
        "Sign in first, or open the source by the short link in an answer.",
    ),
    "wechat_more": ("（未完，回复“继续”看下文）", "(More: reply “继续”)"),
    "wechat_note": ("提示：{warnings}", "Note: {warnings}"),
    "viewer_qr": ("二维码", "QR code"),
    "viewer_qr_alt": ("此处原文的二维码", "The QR code of this place in the source"),
    "link_gone_text": (
        "这个链接不存在，或者已经失效。请重新提问以取得新的链接。",
        "There is no such link, or it has ended. Ask again for a new one.",
    ),
    "viewer_quote": ("跳到引文", "Go to the quote"),
    "viewer_boilerplate": ("网页附带内容（不用于检索和引用）", "Page furniture (neither searched nor quoted)"),
    "viewer_table": ("表格", "Table"),
    "viewer_file": ("来源文件", "Source file"),
    "viewer_ingested": ("收录时间", "Taken in"),
    # notices
    "not_found_title": ("没有这一页", "There is no such page"),
    "not_found_text": (
        "链接可能不完整，或文件从未收录。",
        "The link may be incomplete, or the document was never taken in.",
    ),
    "busy_title": ("暂时无法回答", "Not just now"),
    "busy_text": (
        "服务器暂时不能处理这个请求，请稍后再试。",
        "The server cannot take this request now; try again in a moment.",
    ),
    "error_title": ("出了点问题", "Something went wrong"),
    "error_text": (
        "服务器没能完成这个请求，详情已记入日志。请稍后再试。",
        "The server could not complete this request, and the log says why. Try again in a moment.",
    ),
    "refused_title": ("请求未被接受", "The request was not accepted"),
    "too_big_text": ("请求过大。", "The request is too large."),
    "refused_text": ("这个地址不接受这样的请求。", "This address does not take such a request."),
    "host_text": (
        "只有在本机地址上才能不设口令使用。请设置 ZHICE_ADMIN_PASSWORD，或改用 127.0.0.1 打开。",
        "Without a password this server answers to this machine's own address only. Set ZHICE_ADMIN_PASSWORD, "
        "or open it at 127.0.0.1.",
    ),
}


def say(language: Language, phrase: str, **values: object) -> str:
    """A phrase in a language, with its placeholders filled in.

    Raises:
        KeyError: there is no such phrase, or a placeholder has no value.
    """
    text = _PHRASES[phrase][0 if language == "zh" else 1]
    return text.format(**values) if values else text


def preferred(cookie: str | None, accept_language: str | None) -> Language:
    """The interface's language: the reader's choice, else the browser's first language; Chinese unless English."""
    if cookie in ("zh", "en"):
        return "zh" if cookie == "zh" else "en"
    first = (accept_language or "").split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "zh"
