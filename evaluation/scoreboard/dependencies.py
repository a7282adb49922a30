"""Line 16: the pinned packages looked up among the known vulnerabilities, with pip-audit in an environment of its own.

`python -m evaluation.scoreboard.dependencies` is what `make audit` runs; with `--sbom FILE` it checks what `make sbom`
has written.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from evaluation.scoreboard.line import Line
from evaluation.scoreboard.policies import ROOT

NAME: Final = "pip-audit over the lock"
LOCK: Final = ROOT / "requirements.lock"
EXCEPTIONS: Final = ROOT / "evaluation" / "exceptions.toml"
PROGRAM: Final = ROOT / ".venv-audit" / "bin" / "pip-audit"
PATIENCE: Final = 120
"""Seconds; each package is asked for by itself, and 172 took 12."""
QUICK_PATIENCE: Final = 8  # in the quick form, which asks for the packages with exceptions alone

_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Excepted:
    """A vulnerability that cannot be reached: since when that is known, until when it counts, and why."""

    id: str
    package: str
    date: datetime.date
    until: datetime.date
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What an audit came to: packages looked up and not, and what is not explained or no longer."""

    audited: int
    skipped: tuple[str, ...]
    explained: tuple[str, ...]
    unexplained: tuple[str, ...]
    expired: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether every package was looked up and everything found is explained by an exception in date."""
        return bool(self.audited) and not (self.skipped or self.unexplained or self.expired)


def exceptions(file: Path = EXCEPTIONS) -> list[Excepted]:
    """The exceptions of a file; each has every field."""
    return [Excepted(**each) for each in tomllib.loads(file.read_text("utf-8"))["exception"]]


def judged(report: Mapping[str, Any], known: Sequence[Excepted], today: datetime.date) -> Judged:
    """What pip-audit's report says beyond the exceptions."""
    packages = report["dependencies"]
    skipped = tuple(each["name"] for each in packages if "skip_reason" in each)
    explained, unexplained = list[str](), list[str]()
    for package in packages:
        for found in package.get("vulns", ()):
            names = {found["id"], *found.get("aliases", ())}
            good = any(
                each.package == package["name"] and each.id in names and each.date <= today <= each.until
                for each in known
            )
            (explained if good else unexplained).append(f"{package['name']} {package['version']}: {found['id']}")
    expired = tuple(
        f"{each.package}: {each.id} was to be looked into by {each.until}" for each in known if each.until < today
    )
    return Judged(len(packages) - len(skipped), skipped, tuple(explained), tuple(unexplained), expired)


def run(work: Path, *, quick: bool, program: Path = PROGRAM) -> Line:
    """All packages of the lock; in the quick form those that there are exceptions for."""
    started, known = time.perf_counter(), exceptions()
    lock = LOCK
    if quick:
        lock = work / "requirements.lock"
        wanted = {each.package for each in known}
        pins = [line for line in LOCK.read_text("utf-8").splitlines() if line.partition("==")[0] in wanted]
        lock.write_text("\n".join(pins) + "\n", encoding="utf-8")
    report, missing = audit(program, lock, QUICK_PATIENCE if quick else PATIENCE)
    found = judged(report, known, datetime.date.today())
    if not missing and not found.audited:
        missing = f"the database of vulnerabilities cannot be reached: none of {len(found.skipped)} packages could be looked up"
    if missing:
        return Line(16, NAME, "", "", False, time.perf_counter() - started, missing)
    wrong = [*found.unexplained, *found.expired, *(f"{name} could not be looked up" for name in found.skipped)]
    return Line(
        16,
        NAME,
        f"each package of {LOCK.name} looked up by pip-audit; less the exceptions in evaluation/{EXCEPTIONS.name}, which are dated",
        f"{len(found.unexplained)} unexplained vulnerabilities of {found.audited} packages, {len(found.explained)} explained, "
        f"{len(found.expired)} exceptions out of date" + "".join(f"; {each}" for each in wrong[:3]),
        found.good,
        time.perf_counter() - started,
    )


def audit(program: Path, lock: Path, seconds: float) -> tuple[dict[str, Any], str]:
    """What pip-audit reports of a lock within so many seconds; or nothing, and why there is no report."""
    nothing: dict[str, Any] = {"dependencies": []}
    if not program.exists():
        return nothing, "pip-audit is not there; `make audit` installs it"
    words = ["-r", str(lock), "--no-deps", "--disable-pip", "--format", "json", "--progress-spinner", "off"]
    try:
        done = subprocess.run([str(program), *words], capture_output=True, text=True, timeout=seconds)  # noqa: S603 - our own lock
        report: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return nothing, f"the database of vulnerabilities did not answer within {seconds:.0f} s"
    except ValueError:
        return nothing, f"pip-audit gave no report: {(done.stderr.strip().splitlines() or ['nothing said'])[-1]}"
    return report, ""


def components(sbom: Path, lock: Path = LOCK) -> str:
    """What is wrong with a bill of materials: another number of components than the lock has packages."""
    made, pinned = json.loads(sbom.read_text("utf-8")), _PIN.findall(lock.read_text("utf-8"))
    names = [component["name"] for component in made.get("components", ())]
    if made.get("bomFormat") != "CycloneDX" or sorted(names) != sorted(pinned):
        return f"{sbom} has {len(names)} components, and {lock} {len(pinned)} packages"
    return ""


def main() -> int:
    """Audit, or check a bill of materials; the exit code is 0 if all is well or nothing can be looked up."""
    parser = argparse.ArgumentParser(prog="python -m evaluation.scoreboard.dependencies", description=__doc__)
    parser.add_argument("--sbom", type=Path, help="check this file instead")
    options = parser.parse_args()
    if options.sbom:
        wrong = components(options.sbom)
        print(wrong or f"{options.sbom} lists every package of {LOCK.name}")
        return int(bool(wrong))
    line = run(ROOT, quick=False)
    print(f"skipped: {line.skipped_because}" if line.skipped_because else line.figure)
    return int(not (line.passed or line.skipped_because))


if __name__ == "__main__":
    sys.exit(main())
