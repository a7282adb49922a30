"""Corrections in a file beside a document: policy.pdf.yaml, or policy.yaml, says title, issuer, dates ... of policy.pdf."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from ingest.errors import UnreadableDocument
from vectorstore.corrections import check
from vectorstore.errors import InvalidCorrection

SUFFIXES = (".yaml", ".yml")
# A sidecar holds some ten lines.
_MAX_BYTES = 64 * 1024


def sidecars_of(documents: Iterable[Path]) -> Mapping[Path, Path]:
    """The sidecar of each document that has one."""
    found: dict[Path, Path] = {}
    for document in documents:
        if document.suffix.lower() in SUFFIXES:
            continue
        for suffix in SUFFIXES:
            for sidecar in (document.with_name(document.name + suffix), document.with_suffix(suffix)):
                if document not in found and sidecar.is_file():
                    found[document] = sidecar
    return found


def read_sidecar(path: Path) -> dict[str, str | None]:
    """The fields that a sidecar sets, checked.

    Raises:
        UnreadableDocument: it is no mapping of known fields; the reason names the field.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UnreadableDocument(f"It has more than {_MAX_BYTES // 1024} KiB; a sidecar holds a few fields.")
        fields = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UnreadableDocument(f"It cannot be opened: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise UnreadableDocument(
            'It is no valid YAML in UTF-8; write lines such as `valid_until: 2026-12-31` or `title: "…"`.'
        ) from error
    if not isinstance(fields, dict) or not all(isinstance(name, str) for name in fields):
        raise UnreadableDocument("It holds no fields; write lines such as `valid_until: 2026-12-31`.")
    try:
        return check(fields)
    except InvalidCorrection as error:
        raise UnreadableDocument(str(error)) from error
