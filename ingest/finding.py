"""Which files a run takes in: paths -> files, with those inside archives, and the sidecars beside them."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.archives import members
from ingest.errors import UnreadableDocument
from ingest.readers import MAX_BYTES
from ingest.sidecars import SUFFIXES, sidecars_of

Failure = tuple[str, str]
"""A file and the reason why it was not taken in."""

INSIDE = "!/"
"""Between the path of an archive and the name of a file in it, in a document's key."""


_LEADS_OUT = "It is a link that leads out of the folder; add the file itself, or its folder."


@dataclass(frozen=True)
class Found:
    """A file to take in: its bytes, the name to show, and the key that tells it from others of its name."""

    data: bytes
    source: str
    key: str
    sidecar: Path | None = None

    @functools.cached_property
    def sha256(self) -> str:
        """The digest of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(slots=True)
class Finding:
    """The files below some paths; `failed` gathers what cannot be taken in, `opened` the archives that were."""

    files: Sequence[Path]
    sidecars: Mapping[Path, Path]
    failed: list[Failure] = field(default_factory=list)
    opened: set[Path] = field(default_factory=set)

    def read(self, path: Path) -> Iterator[Found]:
        """A file, or the files in it where it is an archive; what cannot be opened goes to `failed`."""
        try:
            data = read_bytes(path)
            inside = members(data, path.name)
        except UnreadableDocument as error:
            self.failed.append((str(path), str(error)))
            return
        if inside is None:
            yield Found(data, path.name, str(path), self.sidecars.get(path))
            return
        self.opened.add(path)
        for member in inside:
            key = f"{path}{INSIDE}{member.name}"
            if member.reason:
                self.failed.append((key, member.reason))
            else:
                yield Found(member.data, member.name.rpartition("/")[2], key)


def find(paths: Iterable[str | Path]) -> Finding:
    """All files of some files and folders; hidden ones are left out, and so are sidecars.

    Links within a folder that lead out of it are not followed: who may write there need not be who may read elsewhere.
    """
    files: dict[Path, None] = {}
    failed: list[Failure] = []
    strays: set[Path] = set()
    for given in paths:
        path = Path(given).expanduser().absolute()
        if path.is_dir():
            inside, leading_out = _inside(path)
            files |= dict.fromkeys(inside)
            failed += [(str(file), _LEADS_OUT) for file in leading_out]
            strays |= set(leading_out)
        elif path.exists():
            files[path] = None
        else:
            failed.append((str(given), "There is no such file or folder; check the path."))
    sidecars = {document: sidecar for document, sidecar in sidecars_of(files).items() if sidecar not in strays}
    used = frozenset(sidecars.values())
    for path in [path for path in files if path.suffix.lower() in SUFFIXES]:
        files.pop(path)
        if path not in used:
            failed.append((str(path), "It belongs to no document beside it; name it after one, as policy.pdf.yaml."))
    return Finding(list(files), sidecars, failed)


def read_bytes(path: Path) -> bytes:
    """The bytes of a file.

    Raises:
        UnreadableDocument: it cannot be opened, or is too large.
    """
    try:
        check_size(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise UnreadableDocument(
            f"It cannot be opened: {error.strerror}. Check that it exists and may be read."
        ) from error


def check_size(size: int) -> None:
    """Raises UnreadableDocument for a file larger than any document."""
    if size > MAX_BYTES:
        raise UnreadableDocument(
            f"It has {size / 2**20:.0f} MiB; files up to {MAX_BYTES // 2**20} MiB are read. Split it into parts."
        )


def _inside(folder: Path) -> tuple[list[Path], list[Path]]:
    """The files in a folder, and the links to files outside of it."""
    found: list[Path] = []
    leading_out: list[Path] = []
    whole = folder.resolve()
    for file in sorted(folder.rglob("*")):
        if any(part.startswith(".") for part in file.relative_to(folder).parts) or not file.is_file():
            continue
        (found if file.resolve().is_relative_to(whole) else leading_out).append(file)
    return found, leading_out
