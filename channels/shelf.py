"""Managing documents for the page: list, add, read again, remove; each checks for itself who is asking."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from assistant.assembly import Assistant
from channels import markup
from channels.admin import Gate
from channels.guard import LARGEST_FILE
from channels.markup import Outcome
from channels.texts import Language, say
from vectorstore.errors import ZhiceError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that reached the server: its own name, and where it lies until it is taken in."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Shelf:
    """The documents, and the three things that can be done to them; `token` is what the request carries."""

    assistant: Assistant
    gate: Gate
    add_document: Callable[[str, bytes], tuple[str, str]]
    read_document_again: Callable[[str], str]
    remove_document: Callable[[str], None]

    def listed(self, token: str | None, language: Language) -> str:
        """The table of documents, or the form to sign in with."""
        if not self.gate.admits(token):
            return markup.sign_in(language)
        return markup.documents(
            self.assistant.documents(),
            self.assistant.standing(),
            date.today().isoformat(),
            language,
            locked=self.gate.locked,
        )

    def add(self, token: str | None, uploads: Sequence[Upload], language: Language) -> Iterator[str]:
        """Take files in one by one; what has become of them so far, as HTML, after each step."""
        if not self.gate.admits(token):
            yield self._refusal(language)
            return
        done: list[Outcome] = []
        for number, upload in enumerate(uploads, start=1):
            reading = say(language, "upload_reading", done=number, total=len(uploads), name=upload.name)
            yield markup.outcomes(done, language, reading=reading, total=len(uploads))
            done.append(self._add_one(upload, language))
        yield markup.outcomes(done, language)

    def read_again(self, token: str | None, document_id: str, language: Language) -> str:
        """Read a document's file again; the outcome as HTML."""
        return self._one(token, document_id, language, lambda: self.read_document_again(document_id))

    def remove(self, token: str | None, document_id: str, language: Language) -> str:
        """Take a document out of search; the outcome as HTML."""

        def remove() -> str:
            self.remove_document(document_id)
            return "removed"

        return self._one(token, document_id, language, remove)

    def _one(self, token: str | None, document_id: str, language: Language, do: Callable[[], str]) -> str:
        if not self.gate.admits(token):
            return self._refusal(language)
        rows = self.assistant.documents()
        name = next((str(row["title"]) for row in rows if row["document_id"] == document_id), document_id)
        return markup.outcomes([_attempt(name, language, do)], language)

    def _add_one(self, upload: Upload, language: Language) -> Outcome:
        try:
            if upload.path.stat().st_size > LARGEST_FILE:
                return Outcome(upload.name, False, say(language, "too_large"))
            data = upload.path.read_bytes()
            return _attempt(upload.name, language, lambda: self.add_document(upload.name, data)[0])
        except OSError:
            logger.exception("an uploaded file could not be read")
            return Outcome(upload.name, False, say(language, "failed_unknown"))
        finally:
            upload.path.unlink(missing_ok=True)

    def _refusal(self, language: Language) -> str:
        return markup.outcomes([Outcome("", False, say(language, "not_signed_in"))], language)


def _attempt(name: str, language: Language, do: Callable[[], str]) -> Outcome:
    try:
        return Outcome(name, True, say(language, do()))
    except ZhiceError as error:
        return Outcome(name, False, f"{say(language, 'failed')}: {error}")
    except Exception:
        logger.exception("a document could not be handled")
        return Outcome(name, False, say(language, "failed_unknown"))
