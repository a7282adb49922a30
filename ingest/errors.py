"""What can go wrong while a file is read (see `vectorstore/errors.py` for the whole tree)."""

from __future__ import annotations

from vectorstore.errors import ZhiceError


class ClusterUnavailable(ZhiceError):
    """The Ray cluster cannot be reached, was lost, or is not what it should be; what was stored before is safe."""


class UnreadableDocument(ZhiceError):
    """A file that cannot be read as a document; the message is the reason and what to do, without the name."""
