"""The measuring of scale at tiny sizes, and the page that tells of it."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from evaluation.scale.__main__ import FOLDER, RESULTS, main, read
from evaluation.scale.corpus import FEWEST, MOST, REPEALING, Corpus, shape
from evaluation.scale.filling import NotEmpty, fill, passages_of
from evaluation.scale.tables import slopes, tables
from ingest.preparing import prepare
from vectorstore.place import Place
from vectorstore.segmentation import terms

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus()


def test_a_document_is_the_same_each_time_and_its_passages_lie_in_it(corpus: Corpus) -> None:
    made = corpus.made(REPEALING * 3)
    assert made == Corpus().made(REPEALING * 3)
    assert made.document.text != corpus.made(4).document.text
    assert FEWEST <= len(made.passages) <= MOST
    assert made.document.metadata.repeals
    assert made.questions
    for before, passage in zip(made.passages, made.passages[1:], strict=False):
        assert before.end < passage.start
        assert made.document.text[passage.start] == "第"
    assert made.passages[-1].end == len(made.document.text)


def test_clauses_are_cut_as_the_product_cuts_them(corpus: Corpus) -> None:
    made = corpus.made(5)
    _, found = prepare(made.document.text.encode(), made.document.source)
    assert len(found) == pytest.approx(len(made.passages), rel=0.1)


def test_terms_are_about_as_frequent_as_in_laws(corpus: Corpus) -> None:
    """Of the first 10,000 articles of the laws: 81 distinct terms, 80,299 in all, these shares; see docs/scale.md."""
    found = shape(
        (passage.end - passage.start, terms(document.text[passage.start : passage.end]))
        for document, passage in passages_of(corpus, 10_000)
    )
    assert found.passages == 10_000
    assert found.distinct == pytest.approx(81, rel=0.1)
    assert found.vocabulary == pytest.approx(80_299, rel=0.5)
    assert found.widest == pytest.approx(0.60, abs=0.1)
    assert found.top == pytest.approx((0.043, 0.171, 0.444, 0.784), abs=0.15)


def test_shape_counts_passages_that_have_a_term() -> None:
    found = shape([(4, ["甲乙", "甲乙", "丙丁"]), (2, ["甲乙"])])
    assert (found.passages, found.characters, found.distinct, found.vocabulary) == (2, 3.0, 1.5, 2)
    assert (found.once, found.widest) == (0.5, 1.0)


def test_a_size_is_measured_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "scale.json"
    arguments = ["--sizes", "120", "--questions", "4", "--work", str(tmp_path / "work"), "--out", str(out)]
    assert main(arguments) == 0
    measured = read(out)[FOLDER]["120"]
    assert list(measured) == ["shape", "measured", "fill", "scan", "build", "ask", "beside"]
    assert measured["ask"]["indexed"] == 120
    assert measured["ask"]["index used"]
    assert measured["ask"]["status"].get("answered", 0) > 0
    assert measured["fill"]["stages"]["writing"]["cpu"] > 0
    assert measured["ask"]["search_ms"]["search"]["p50"] > 0
    assert not list((tmp_path / "work").iterdir())
    capsys.readouterr()
    before = out.read_bytes()
    assert main(arguments) == 0
    assert (out.read_bytes(), capsys.readouterr().out) == (before, "")
    assert main(["--tables", "--out", str(out)]) == 0
    assert f"| {FOLDER} | 120 |" in capsys.readouterr().out


def test_a_store_that_was_lost_is_measured_anew(tmp_path: Path) -> None:
    from evaluation.scale.__main__ import forget, keep

    out = tmp_path / "scale.json"
    keep(out, FOLDER, 10, "fill", {"documents": 1})
    keep(out, FOLDER, 20, "beside", [])
    forget(out, FOLDER, 10)
    forget(out, FOLDER, 20)
    forget(out, FOLDER, 30)
    assert list(read(out)[FOLDER]) == ["20"]


def test_a_store_with_documents_is_left_alone(tmp_path: Path) -> None:
    fill(Place(tmp_path / "kb"), 60)
    with pytest.raises(NotEmpty, match="empty"):
        fill(Place(tmp_path / "kb"), 60)


@pytest.mark.parametrize("wrong", [["--database", "postgresql://x"], ["--database", "a", "--chroma", "b"]])
def test_servers_are_measured_one_size_at_a_time(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(wrong)
    assert "--" in capsys.readouterr().err


def test_slopes_are_of_the_two_largest_sizes() -> None:
    sizes = {str(size): {"build": {"room_mib": room}} for size, room in ((10, 500), (1_000, 3.0), (3_000, 7.0))}
    assert "| index on disk, MiB | 2,000 |" in slopes({FOLDER: sizes})


def test_the_page_has_the_tables_of_the_results() -> None:
    results, page = json.loads(RESULTS.read_text("utf-8")), PAGE.read_text("utf-8")
    for table in tables(results).split("\n\n"):
        assert table.strip() in page
    assert len(list(islice(results, 3))) == 2
