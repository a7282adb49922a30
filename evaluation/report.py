"""A summary as a table for the shell and as an HTML page with charts and every miss."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment

from evaluation.run import Summary

COLUMNS = (
    ("kind", "kind"),
    ("questions", "asked"),
    ("right", "right"),
    ("quotes_exact", "quotes exact"),
    ("right_place", "right place"),
    ("refused_wrongly", "refused wrongly"),
    ("answered_wrongly", "answered wrongly"),
)


def table(summary: Summary) -> str:
    """The rows as aligned text, with the times under them."""
    rows = [[heading for _, heading in COLUMNS]]
    rows += [[str(row[name]) for name, _ in COLUMNS] for row in summary.rows()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    lines.append(f"seconds a question: p50 {summary.percentile(0.5):.3f}, p95 {summary.percentile(0.95):.3f}")
    return "\n".join(lines)


def html_report(summary: Summary, *, title: str) -> str:
    """A page that needs nothing from outside: a bar a kind, the table, every miss with what was expected."""
    template = files("evaluation").joinpath("templates", "report.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    misses = [scored for scored in summary.scores if not scored.right]
    return environment.from_string(template).render(
        title=title,
        rows=summary.rows(),
        columns=COLUMNS,
        misses=misses,
        p50=summary.percentile(0.5),
        p95=summary.percentile(0.95),
    )
