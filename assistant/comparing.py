"""Two versions of a document side by side: which sentences are new, gone or changed, and which numbers in them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.figures import find_figures
from vectorstore.passage import Document, Span
from vectorstore.segmentation import sentence_spans

# Two sentences are one that changed when they share this much.
_ALIKE = 0.5
# A sentence that moved further than this is one that went and one that came.
_REACH = 20


@dataclass(frozen=True, slots=True)
class Change:
    """A sentence that is not the same in both versions; `old` or `new` is None where it stands in the other alone.

    Spans are offsets into the texts of the two versions. `old_numbers` and `new_numbers` are those of the figures that
    differ.
    """

    kind: Literal["added", "removed", "changed"]
    old: Span | None
    new: Span | None
    old_numbers: tuple[Span, ...] = ()
    new_numbers: tuple[Span, ...] = ()


def compare(old: Document, new: Document) -> list[Change]:
    """What changed from one version to another, in the order of the new one; boilerplate is left out."""
    before, after = _sentences(old), _sentences(new)
    matcher = difflib.SequenceMatcher(
        None, [_folded(old.text, span) for span in before], [_folded(new.text, span) for span in after], autojunk=False
    )
    changes: list[Change] = []
    for operation, first, last, start, end in matcher.get_opcodes():
        if operation != "equal":
            changes += _replaced(old.text, before[first:last], new.text, after[start:end])
    return changes


def _sentences(document: Document) -> list[Span]:
    free, position = [], 0
    for start, end in (*document.boilerplate, (len(document.text), len(document.text))):
        free += sentence_spans(document.text, position, start) if position < start else []
        position = end
    return free


def _folded(text: str, span: Span) -> str:
    return "".join(text[slice(*span)].split())


def _replaced(old: str, before: Sequence[Span], new: str, after: Sequence[Span]) -> Iterator[Change]:
    """Pair what was replaced sentence by sentence, in order; the rest came or went."""
    place = 0
    for span in after:
        near = range(place, min(len(before), place + _REACH))
        best = max(near, key=lambda index: _likeness(old, before[index], new, span), default=None)
        if best is None or _likeness(old, before[best], new, span) < _ALIKE:
            yield Change("added", None, span)
            continue
        yield from (Change("removed", gone, None) for gone in before[place:best])
        place = best + 1
        yield _changed(old, before[best], new, span)
    yield from (Change("removed", gone, None) for gone in before[place:])


def _likeness(old: str, before: Span, new: str, after: Span) -> float:
    matcher = difflib.SequenceMatcher(None, _folded(old, before), _folded(new, after), autojunk=False)
    # The two upper bounds cost a tenth, and most sentences are not alike at all.
    if matcher.real_quick_ratio() < _ALIKE or matcher.quick_ratio() < _ALIKE:
        return 0.0
    return matcher.ratio()


def _changed(old: str, before: Span, new: str, after: Span) -> Change:
    left, right = find_figures(old[slice(*before)]), find_figures(new[slice(*after)])
    had, has = [figure.key for figure in left], [figure.key for figure in right]
    return Change(
        "changed",
        before,
        after,
        tuple((before[0] + each.start, before[0] + each.end) for each in left if each.key not in has),
        tuple((after[0] + each.start, after[0] + each.end) for each in right if each.key not in had),
    )
