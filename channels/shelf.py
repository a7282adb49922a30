"""Managing documents for the page: list, add, read again, correct, remove; each checks for itself who is asking."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from assistant.assembly import Assistant
from channels import markup
from channels.admin import Gate, session_of
from channels.correcting import Unfit, corrections_in, form_fields
from channels.guard import LARGEST_FILE
from channels.markup import Outcome
from channels.texts import Language, say
from vectorstore.audit import Audit
from vectorstore.errors import InvalidCorrection, UnknownDocument, ZhiceError
from vectorstore.taken import Taken

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that reached the server: its own name, and where it lies until it is taken in."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Shelf:
    """The documents, and what can be done to them; `token` is what the request carries."""

    assistant: Assistant
    gate: Gate
    add_document: Callable[[str, Path], Sequence[Taken]]
    read_document_again: Callable[[str], str]
    remove_document: Callable[[str], None]
    audit: Audit

    def listed(self, token: str | None, language: Language) -> str:
        """The table of documents, or the form to sign in with."""
        if not self.gate.admits(token):
            return markup.sign_in(language)
        rows = self.assistant.documents()
        return markup.documents(
            rows,
            self.assistant.standing(),
            date.today().isoformat(),
            language,
            locked=self.gate.locked,
        )

    def filters(self, language: Language) -> str:
        """What a question may be narrowed to."""
        return markup.filters(self.assistant.documents(), date.today().isoformat(), language)

    def add(self, token: str | None, uploads: Sequence[Upload], language: Language) -> Iterator[str]:
        """Take files in one by one; what has become of them so far, as HTML, after each step."""
        if not self.gate.admits(token):
            yield self._refusal(language)
            return
        done: list[Outcome] = []
        for number, upload in enumerate(uploads, start=1):
            reading = say(language, "upload_reading", done=number, total=len(uploads), name=upload.name)
            yield markup.outcomes(done, language, reading=reading, total=len(uploads))
            added = self._add_one(upload, language)
            for each in added:
                self._record(token, "add", each.file, done=each.good)
            done += added
        yield markup.outcomes(done, language)

    def read_again(self, token: str | None, document_id: str, language: Language) -> str:
        """Read a document's file again; the outcome as HTML."""
        return self._one(token, "read again", document_id, language, lambda: self.read_document_again(document_id))

    def correction(self, token: str | None, document_id: str, language: Language) -> str:
        """The form that a document's fields are corrected in; empty where there is no such document."""
        if not self.gate.admits(token):
            return ""
        try:
            return self._form(document_id, language)
        except ZhiceError:
            return ""

    def correct(
        self, token: str | None, document_id: str, fields: Mapping[str, object], language: Language
    ) -> tuple[str, str]:
        """Correct a document to these values of the form; the form to show again or nothing, and the outcome as HTML."""
        if not self.gate.admits(token):
            return "", self._refusal(language)
        store = self.assistant.store
        try:
            changed = store.correct(document_id, corrections_in(store.catalog, document_id, fields, language))
            self._record(token, "correct", document_id, done=True)
            done = Outcome(self._name(document_id), True, say(language, "corrected" if changed else "unchanged"))
            return "", markup.outcomes([done], language)
        except InvalidCorrection as error:
            wrong = error.fields if isinstance(error, Unfit) else ()
            return self._form(document_id, language, fields, wrong, str(error)), ""
        except UnknownDocument as error:
            return "", markup.outcomes([Outcome("", False, f"{say(language, 'uncorrected')}: {error}")], language)
        except ZhiceError as error:
            return self._form(document_id, language, fields, (), f"{say(language, 'uncorrected')}: {error}"), ""
        except Exception:
            logger.exception("a document could not be corrected")
            return "", markup.outcomes([Outcome("", False, say(language, "failed_unknown"))], language)

    def remove(self, token: str | None, document_id: str, language: Language) -> str:
        """Take a document out of search; the outcome as HTML."""

        def remove() -> str:
            self.remove_document(document_id)
            return "removed"

        return self._one(token, "remove", document_id, language, remove)

    def _one(self, token: str | None, action: str, document_id: str, language: Language, do: Callable[[], str]) -> str:
        if not self.gate.admits(token):
            return self._refusal(language)
        outcome = _attempt(self._name(document_id), language, do)
        self._record(token, action, document_id, done=outcome.good)
        return markup.outcomes([outcome], language)

    def _record(self, token: str | None, action: str, target: str, *, done: bool) -> None:
        self.audit.record(session_of(token if self.gate.locked else None), action, target, "done" if done else "failed")

    def _name(self, document_id: str) -> str:
        rows = self.assistant.documents()
        return next((str(row["title"]) for row in rows if row["document_id"] == document_id), document_id)

    def _form(
        self,
        document_id: str,
        language: Language,
        given: Mapping[str, object] | None = None,
        wrong: tuple[str, ...] = (),
        problem: str = "",
    ) -> str:
        fields = form_fields(self.assistant.store.catalog, document_id, given, wrong)
        return markup.correction(document_id, self._name(document_id), fields, problem, language)

    def _add_one(self, upload: Upload, language: Language) -> list[Outcome]:
        try:
            if upload.path.stat().st_size > LARGEST_FILE:
                return [Outcome(upload.name, False, say(language, "too_large"))]
            taken = self.add_document(upload.name, upload.path)
        except ZhiceError as error:
            return [Outcome(upload.name, False, f"{say(language, 'failed')}: {error}")]
        except Exception:
            logger.exception("an uploaded file could not be taken in")
            return [Outcome(upload.name, False, say(language, "failed_unknown"))]
        finally:
            upload.path.unlink(missing_ok=True)
        return [
            Outcome(
                each.file, each.outcome != "failed", ": ".join(filter(None, (say(language, each.outcome), each.reason)))
            )
            for each in taken
        ]

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
