"""Correcting what is known of a document at the desk: the form's fields, and what of them is a correction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from channels.texts import Language, say
from vectorstore.catalog import Catalog
from vectorstore.corrections import DATES, FIELDS, check, corrected
from vectorstore.errors import InvalidCorrection

ASKED: Final = ("title", "issuer", "doc_no", "published", "valid_from", "valid_until", "region", "level", "kind")
"""The fields of the form, in their order; `signed`, which nobody asks by, is left to the command."""

LEVELS: Final = ("国家", "省", "市", "区县")
# Suggested only: what a title ends in may be a kind of its own.
KINDS: Final = (
    "办法", "细则", "条例", "规定", "规划", "意见", "方案", "通知", "公告", "决定", "指南", "政策", "标准", "批复", "清单", "解读", "新闻",
)  # fmt: skip
_LABELS: Final = {"valid_from": "valid_from_field", "valid_until": "valid_until_field"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form: its value as it stands in the form, and what was read, which setting it back gives."""

    name: str
    value: str
    read: str
    wrong: bool = False

    @property
    def label(self) -> str:
        """The phrase that names it."""
        return _LABELS.get(self.name, self.name)

    @property
    def dated(self) -> bool:
        """Whether it holds a date."""
        return self.name in DATES

    @property
    def corrected(self) -> bool:
        """Whether it differs from what was read."""
        return _folded(self.value) != _folded(self.read)


class Unfit(InvalidCorrection):
    """Values that are no correction, said in the reader's language; `fields` are the names of those to look at."""

    def __init__(self, message: str, fields: tuple[str, ...]) -> None:
        super().__init__(message)
        self.fields = fields


def form_fields(
    catalog: Catalog, document_id: str, given: Mapping[str, object] | None = None, wrong: tuple[str, ...] = ()
) -> list[Field]:
    """The fields as they stand, or with the values that were `given` and are to be shown again.

    Raises:
        UnknownDocument: no such id.
    """
    record, read = catalog.record(document_id), _read(catalog, document_id)
    shown = {name: getattr(record.metadata, name) or "" for name in ASKED}
    shown |= {name: value for name, value in (given or {}).items() if name in ASKED and isinstance(value, str)}
    return [Field(name, shown[name], read[name], name in wrong) for name in ASKED]


def corrections_in(
    catalog: Catalog, document_id: str, given: Mapping[str, object], language: Language
) -> dict[str, object]:
    """All corrections of the desk that these values of the form amount to: those that differ from what was read.

    Corrections of fields that were not given stay.

    Raises:
        UnknownDocument: no such id.
        Unfit: a value that a field cannot have.
        InvalidCorrection: a field that there is not.
    """
    read = _read(catalog, document_id)
    kept = {name: value for name, value in catalog.corrections(document_id, "desk").items() if name not in given}
    changed = {name: value for name, value in given.items() if name not in FIELDS or _folded(value) != read[name]}
    for name, value in changed.items():
        phrase = "correct_day" if name in DATES else "correct_text"
        if name in ASKED:
            _check({name: value}, (name,), say(language, phrase, field=say(language, _LABELS.get(name, name))))
    period = tuple(name for name in ("valid_from", "valid_until") if name in changed)
    if period:
        whole = {**read, **kept, **given}
        _check({name: whole[name] for name in ("valid_from", "valid_until")}, period, say(language, "correct_period"))
    return {**kept, **changed}


def _read(catalog: Catalog, document_id: str) -> dict[str, str]:
    """Every field as it is without the desk's corrections: from the text, or the file beside the document."""
    record = catalog.record(document_id)
    read = catalog.document(document_id, record.version, as_read=True).metadata
    read = corrected(read, catalog.corrections(document_id, "sidecar"))
    return {name: _folded(getattr(read, name)) for name in FIELDS}


def _check(fields: Mapping[str, object], names: tuple[str, ...], message: str) -> None:
    try:
        check(fields)
    except InvalidCorrection as error:
        raise Unfit(message, names) from error


def _folded(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else "" if value is None else str(value)
