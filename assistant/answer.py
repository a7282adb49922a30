"""What every question ends in: an Answer of claims, each with citations of the exact words it stands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Status = Literal["answered", "partial", "not_found", "clarify", "info"]


@dataclass(frozen=True, slots=True)
class Citation:
    """A verbatim quote and where it stands.

    `quote` equals `document_text(document_id, version)[start:end]`. `page` counts from 1; `section` is the heading
    path, outermost first, and last the clause that is quoted (第十二条第二款第（三）项) where it is numbered. `kind` says
    what the document is: 办法, 通知, 解读, 新闻. Dates are ISO 8601. `link` opens the source viewer at the quote, relative to the server.
    `reason` says of a passage that only comes close what it differs in or lacks.
    """

    number: int
    document_id: str
    version: int
    title: str
    issuer: str | None
    doc_no: str | None
    published: str | None
    valid_from: str | None
    valid_until: str | None
    section: tuple[str, ...]
    page: int | None
    start: int
    end: int
    quote: str
    link: str
    kind: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Checks:
    """What was verified about a claim: its quotes are exact, and its figures and names stand in them.

    `numbers` is "computed" for a figure that was calculated from cited ones.
    """

    quote: bool
    numbers: bool | Literal["computed"]


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of the answer, without markers; `citations` are the numbers of the citations it stands on."""

    text: str
    citations: tuple[int, ...]
    checks: Checks

    @property
    def marked(self) -> str:
        """The sentence with its `[1]`-style markers behind it."""
        return self.text + "".join(f"[{number}]" for number in self.citations)


@dataclass(frozen=True, slots=True)
class Warning:
    """Something a reader must know before relying on the cited sources; `code` is stable, `message` is for people."""

    code: str
    message: str
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question; every channel renders this and nothing else.

    `confidence` is the chance that the best words found answer it, whether or not that was enough to say them; it is not
    `calibrated` where another model than the bundled one orders the passages.
    `evidence` are the passages that a language model is writing from, in a snapshot that is not the last. `generator`
    is "extractive", or the name of the model that wrote the claims; `usage` is what was asked of it: requests, characters
    sent and received, and tokens where the endpoint counts them. Of status `info`, a question about the assistant itself or
    its documents, `nearest` are these documents.
    """

    id: str
    as_of: str
    status: Status
    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    warnings: tuple[Warning, ...]
    nearest: tuple[Citation, ...]
    question: str
    standalone_question: str
    language: Literal["zh", "en"]
    generator: str
    confidence: float = 0.0
    calibrated: bool = True
    elapsed_ms: Mapping[str, float] = field(default_factory=dict)
    evidence: tuple[Citation, ...] = ()
    usage: Mapping[str, int] = field(default_factory=dict)

    @property
    def listing(self) -> Literal["nearest", "listed"]:
        """The phrase that heads `nearest`: passages that come close, or documents that were asked for."""
        return "listed" if self.status == "info" else "nearest"

    @property
    def found(self) -> bool:
        """Whether the sources gave an answer, in whole or in part."""
        return self.status in ("answered", "partial")

    def __add__(self, later: Answer) -> Answer:
        """A later snapshot of an answer replaces the earlier one; so LangChain joins a stream of them."""
        return later

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain JSON types."""
        plain = asdict(self)
        plain["confidence"] = round(self.confidence, 3)
        plain["elapsed_ms"] = {stage: round(spent, 2) for stage, spent in self.elapsed_ms.items()}
        return _lists(plain)  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Answer:
        """The answer that `to_dict` gave."""

        def citations(name: str) -> tuple[Citation, ...]:
            return tuple(Citation(**{**each, "section": tuple(each["section"])}) for each in plain[name])

        claims = [Claim(each["text"], tuple(each["citations"]), Checks(**each["checks"])) for each in plain["claims"]]
        warnings = [Warning(**{**each, "citations": tuple(each["citations"])}) for each in plain["warnings"]]
        cited = {name: citations(name) for name in ("citations", "nearest", "evidence")}
        return cls(**{**plain, **cited, "claims": tuple(claims), "warnings": tuple(warnings)})


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_lists(item) for item in value]
    return value
