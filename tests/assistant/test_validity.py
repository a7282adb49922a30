from __future__ import annotations

from assistant.answer import Citation, Warning
from assistant.validity import Standing, Successor, source_warnings
from prompts import load_wording
from vectorstore.catalog import Record
from vectorstore.passage import Metadata

SAMPLE = Record("sample", "sample", "sample.md", "samples", 1, "live", "", "", Metadata())


def citation(number: int, document_id: str, valid_from: str | None, valid_until: str | None) -> Citation:
    return Citation(
        number=number, document_id=document_id, version=1, title="海州行动计划", issuer=None, doc_no=None,
        published=None, valid_from=valid_from, valid_until=valid_until, section=(), page=None, start=0, end=1,
        quote="一", link="/d/x",
    )  # fmt: skip


def warnings(*citations: Citation, as_of: str = "2026-06-01") -> tuple[Warning, ...]:
    standing = Standing((SAMPLE,), {"old": Successor("新办法", "海政发〔2025〕3号", "2025-07-01")})
    return source_warnings(citations, as_of=as_of, standing=standing, wording=load_wording("zh"))


def test_a_plan_that_has_ended_says_when_it_ran() -> None:
    (warning,) = warnings(citation(1, "a", "2019-01-01", "2021-12-31"))
    assert warning.code == "expired"
    assert "2019-01-01" in warning.message
    assert "2021-12-31" in warning.message


def test_the_last_day_of_validity_still_counts() -> None:
    cited = citation(1, "a", None, "2026-06-01")
    assert warnings(cited) == ()
    assert [warning.code for warning in warnings(cited, as_of="2026-06-02")] == ["expired"]


def test_a_policy_before_its_first_day_is_not_yet_effective() -> None:
    cited = citation(1, "a", "2026-06-02", None)
    assert [warning.code for warning in warnings(cited)] == ["not_yet_effective"]
    assert warnings(cited, as_of="2026-06-02") == ()


def test_a_replaced_policy_names_its_successor() -> None:
    (warning,) = warnings(citation(1, "old", None, None))
    assert warning.code == "superseded"
    assert "新办法" in warning.message


def test_samples_are_named_once_with_all_their_citations() -> None:
    found = warnings(
        citation(1, "sample", None, None), citation(2, "own", None, None), citation(3, "sample", None, None)
    )
    assert [(warning.code, warning.citations) for warning in found] == [("sample", (1, 3))]
