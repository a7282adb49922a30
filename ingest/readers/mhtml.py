"""Web archives (.mht, and .doc or .xls saved as "single file web page"): the page within the message."""

from __future__ import annotations

import email
import email.policy
import re
from email.message import Message

from ingest.errors import UnreadableDocument
from ingest.readers.encoding import declared_encodings, decode

_HEADER = re.compile(rb"\s*(?:[\w-]{1,40}:[^\n]*\n(?:[ \t]+[^\n]*\n)*){1,30}")
_MULTIPART = re.compile(rb"^content-type:\s*multipart/related", re.I | re.M)


def is_web_archive(data: bytes) -> bool:
    """Whether the file is a MIME message of a page and what belongs to it (RFC 2557)."""
    header = _HEADER.match(data[:8192])
    return header is not None and b"mime-version:" in header[0].lower() and bool(_MULTIPART.search(header[0]))


def page_of(data: bytes) -> str:
    """The HTML of the archive's page.

    Raises `UnreadableDocument` where there is none.
    """
    try:
        message = email.message_from_bytes(data, policy=email.policy.compat32)
        for part in message.walk():
            if part.get_content_type() == "text/html":
                return _decoded(part)
    except UnreadableDocument:
        raise
    except Exception as error:  # the library lets through whatever damaged headers lead it to, RecursionError too
        raise UnreadableDocument("It is a damaged web archive; save the page again, or its text as .docx.") from error
    raise UnreadableDocument("It is a web archive without a page; save the page again, or its text as .docx.")


def _decoded(part: Message) -> str:
    content = part.get_payload(decode=True)
    raw = content if isinstance(content, bytes) else b""
    charset = part.get_content_charset()
    return decode(raw, (*declared_encodings(raw), *([charset] if charset else [])))
