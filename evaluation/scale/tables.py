"""The results as Markdown tables: what was measured at each size, and what a million passages more add to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

Measured = Mapping[str, Any]
"""The parts of one engine at one size."""

Row = tuple[str, Callable[[Measured], object]]
"""What a column is called, and how it is read; None where a part was not measured."""

_MILLION: Final = 1_000_000
_OWN_STAGES: Final = ("segmentation", "encoding", "writing")


def tables(results: Mapping[str, Mapping[str, Measured]]) -> str:
    """All tables, each below its heading."""
    found = [_of(name, columns, results) for name, columns in _TABLES.items()]
    return "\n".join([*found, slopes(results)])


def _of(name: str, columns: Sequence[Row], results: Mapping[str, Mapping[str, Measured]]) -> str:
    lines = [f"### {name}", "", _line("engine", "passages", *(title for title, _ in columns))]
    lines.append(_line("---", *["---:"] * (1 + len(columns))))
    for engine, sizes in results.items():
        for size, measured in sizes.items():
            lines.append(
                _line(engine, f"{int(size):,}", *(_said(_read(size, measured, value)) for _, value in columns))
            )
    return "\n".join([*lines, ""])


def slopes(results: Mapping[str, Mapping[str, Measured]]) -> str:
    """What a million passages more cost, by the two largest sizes of each engine."""
    lines = ["### What a million passages more add", "", _line("", *results), _line("---", *["---:"] * len(results))]
    for title, value in _SLOPES:
        lines.append(_line(title, *(_said(_slope(sizes, value)) for sizes in results.values())))
    return "\n".join([*lines, ""])


def _slope(sizes: Mapping[str, Measured], value: Callable[[Measured], object]) -> float | None:
    known = [
        (int(size), found) for size, measured in sizes.items() if (found := _read(size, measured, value)) is not None
    ]
    if len(known) < 2:
        return None
    (few, low), (many, high) = sorted(known)[-2:]
    return (float(str(high)) - float(str(low))) / (many - few) * _MILLION


def _read(size: str, measured: Measured, value: Callable[[Measured], object]) -> object:
    try:
        return value({**measured, "passages": int(size)})
    except (KeyError, ZeroDivisionError):
        return None


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _said(value: object) -> str:
    """Three figures; a pair as p50 / p95."""
    if value is None:
        return "-"
    if isinstance(value, dict):
        return " / ".join(_said(each) for each in value.values())
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return str(value)


def _passages(measured: Measured) -> int:
    return int(measured["passages"])


def _rate(measured: Measured) -> float:
    """Passages stored in a second, without making them up."""
    stages = measured["fill"]["stages"]
    return float(_passages(measured) / (stages["whole"]["seconds"] - stages["making up"]["seconds"]))


def _processor(stage: str, spent: str = "cpu") -> Callable[[Measured], object]:
    """Processor seconds of an ingest's stage for 1,000 passages."""
    return lambda measured: 1000 * measured["fill"]["stages"][stage][spent] / _passages(measured)


def _reading(measured: Measured) -> float:
    read = measured["fill"]["reading"]
    return float(1000 * read["cpu"] / read["passages"])


def _part(*path: str) -> Callable[[Measured], object]:
    """What lies at a path of names."""

    def found(measured: Measured) -> object:
        value: Any = measured
        for name in path:
            value = value[name]
        return value

    return found


def _opening(step: str) -> Callable[[Measured], object]:
    """Seconds by the clock, and of our processor time."""
    return lambda measured: {name: measured["ask"]["opening"][step][name] for name in ("seconds", "cpu")}


def _hours(*path: str) -> Callable[[Measured], object]:
    """Seconds as hours."""
    seconds = _part(*path)
    return lambda measured: float(str(seconds(measured))) / 3600


def _milliseconds(spent: str) -> Callable[[Measured], object]:
    """Processor milliseconds of an answer."""
    return lambda measured: 1000 * measured["ask"]["cpu_an_answer"][spent]


def _tenth(measured: Measured, which: int) -> float:
    """Processor seconds of all together for 1,000 passages of a tenth."""
    return float(10_000 * measured["fill"]["cpu of each tenth"][which] / _passages(measured))


def _beside(measured: Measured) -> float:
    return float(sum(each["answers_per_second"] for each in measured["beside"]))


def _answered(measured: Measured) -> float:
    told = measured["ask"]["status"]
    return float(100 * (told.get("answered", 0) + told.get("partial", 0)) / sum(told.values()))


_TABLES: Final[Mapping[str, Sequence[Row]]] = {
    "Ingest: passages a second, and processor seconds for 1,000 passages by stage": (
        ("passages/s", _rate),
        ("reading", _reading),
        *((stage, _processor(stage)) for stage in _OWN_STAGES),
        ("database", _processor("whole", "database_cpu")),
        ("first tenth", lambda m: _tenth(m, 0)),
        ("last tenth", lambda m: _tenth(m, -1)),
    ),
    "Building the index": (
        ("seconds", _part("build", "seconds")),
        ("processor s", _part("build", "cpu")),
        ("of Chroma server", _part("build", "chroma_cpu")),
        ("of database", _part("build", "database_cpu")),
        ("peak memory, MiB", _part("build", "memory_mib", "peak")),
        ("of Chroma server", _part("build", "server_peak_mib", "chroma")),
        ("of database", _part("build", "server_peak_mib", "database")),
        ("not found by it", _part("build", "strays")),
    ),
    "Room on disk, MiB": (
        ("catalog", _part("fill", "room_mib", "whole")),
        ("of that full text", _part("fill", "room_mib", "full text")),
        ("passages and vectors", _part("fill", "room_mib", "passages and vectors")),
        ("texts", _part("fill", "room_mib", "texts")),
        ("index", _part("build", "room_mib")),
    ),
    "Opening, seconds (by the clock / processor time of ours), and what each change of the documents costs": (
        *(
            (title, _opening(step))
            for title, step in (
                ("catalog", "opening the catalog"),
                ("index", "opening the index"),
                ("counting terms", "counting terms"),
                ("first answer", "first answer"),
            )
        ),
        ("first answer without an index", _part("scan", "first_seconds")),
        ("statistics", _part("ask", "upkeep", "statistics")),
        ("records", _part("ask", "upkeep", "records")),
        ("standing", _part("ask", "upkeep", "standing")),
    ),
    "Memory, MiB": (
        ("process at rest", _part("ask", "memory_mib", "at rest")),
        ("after questions", _part("ask", "memory_mib", "after questions")),
        ("at the most, with filters", _part("ask", "memory_mib", "peak")),
        ("peak while storing", _part("fill", "memory_mib", "peak")),
        ("without an index, after questions", _part("scan", "memory_mib", "after")),
        ("database while asked", _part("ask", "server_memory_mib", "database")),
        ("Chroma server while asked", _part("ask", "server_memory_mib", "chroma")),
    ),
    "Answers, one at a time (ms, p50 / p95; with a filter also processor time) and at once": (
        ("answer", _part("ask", "answer_ms")),
        ("processor ms", _milliseconds("cpu")),
        ("of database", _milliseconds("database_cpu")),
        ("of Chroma server", _milliseconds("chroma_cpu")),
        ("answers/s, 2 threads", _part("ask", "at_once", "2", "answers_per_second")),
        ("8 threads", _part("ask", "at_once", "8", "answers_per_second")),
        ("2 processes", _beside),
        ("answered, %", _answered),
        ("asked of one place", _part("ask", "filtered_ms", "one place")),
        ("asked of what is in force", _part("ask", "filtered_ms", "in force")),
    ),
    "A search and its steps, ms (p50 / p95 / processor time of ours on average)": (
        ("search", _part("ask", "search_ms", "search")),
        ("frequencies", _part("ask", "search_ms", "frequencies")),
        ("full text", _part("ask", "search_ms", "full text")),
        ("vectors", _part("ask", "search_ms", "vectors")),
        ("rows", _part("ask", "search_ms", "rows")),
        ("scores", _part("ask", "search_ms", "scores")),
        ("without an index", _part("scan", "search_ms")),
    ),
}

_SLOPES: Final[Sequence[Row]] = (
    ("storing, processor hours of ours", _hours("fill", "stages", "whole", "cpu")),
    ("of the database", _hours("fill", "stages", "whole", "database_cpu")),
    ("building the index, processor hours of ours", _hours("build", "cpu")),
    ("of the Chroma server", _hours("build", "chroma_cpu")),
    ("building the index, peak memory here, MiB", _part("build", "memory_mib", "peak")),
    ("catalog on disk, MiB", _part("fill", "room_mib", "whole")),
    ("index on disk, MiB", _part("build", "room_mib")),
    ("memory of a process after questions, MiB", _part("ask", "memory_mib", "after questions")),
    ("memory of the Chroma server, MiB", _part("ask", "server_memory_mib", "chroma")),
    ("an answer, processor ms of ours", _milliseconds("cpu")),
    ("of the database", _milliseconds("database_cpu")),
    ("of the Chroma server", _milliseconds("chroma_cpu")),
    ("an answer from what is in force, processor ms of ours", _part("ask", "filtered_ms", "in force", "cpu")),
    ("opening the catalog, processor s", _part("ask", "opening", "opening the catalog", "cpu")),
    ("opening the index, processor s of ours", _part("ask", "opening", "opening the index", "cpu")),
    ("statistics, s", _part("ask", "upkeep", "statistics")),
    ("records, s", _part("ask", "upkeep", "records")),
)
