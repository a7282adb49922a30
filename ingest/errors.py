"""What can go wrong while a file is read (see `vectorstore/errors.py` for the whole tree)."""

from __future__ import annotations

from vectorstore.errors import ZhiceError


class UnreadableDocument(ZhiceError):
    """A file that cannot be read as a document; the message is the reason and what to do, without the name."""
