"""Files cut off or with wrong bytes: each is read or refused, soon; nothing else is raised."""

from __future__ import annotations

import io
import random
import zipfile

import olefile
import pytest

from evaluation.scoreboard.office_files import ole, package
from evaluation.scoreboard.samples import SAMPLES
from tests.ingest.readers.bounds import bounded, survives


@pytest.mark.parametrize("name", SAMPLES)
def test_the_samples_themselves_are_read(name: str) -> None:
    assert survives(SAMPLES[name], name)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_file_cut_off_anywhere_is_read_or_refused(name: str) -> None:
    data = SAMPLES[name]
    with bounded():
        for part in range(20):
            survives(data[: len(data) * part // 20], name)


@pytest.mark.parametrize("name", SAMPLES)
def test_flipped_bytes_raise_nothing_else(name: str) -> None:
    chance = random.Random(name)
    with bounded(20.0):
        for _ in range(120):
            data = bytearray(SAMPLES[name])
            for _ in range(chance.choice((1, 4, 30))):
                data[chance.randrange(len(data))] = chance.randrange(256)
            survives(bytes(data), name)


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.ods", "a.odt"])
def test_flipped_bytes_within_the_parts_raise_nothing_else(name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(SAMPLES[name])) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    chance = random.Random(name)
    with bounded(20.0):
        for _ in range(60):
            changed = dict(parts)
            part = chance.choice([part for part in parts if parts[part] and part.endswith((".xml", ".rels"))])
            data = bytearray(parts[part])
            for _ in range(chance.choice((1, 5))):
                data[chance.randrange(len(data))] = chance.choice(b'<>/"0987654321abc&\x00\xff')
            changed[part] = bytes(data)
            survives(package({**changed}), name)


@pytest.mark.parametrize("stream", ["1Table", "WordDocument"])
def test_flipped_bytes_within_the_tables_of_a_word_file_raise_nothing_else(stream: str) -> None:
    with olefile.OleFileIO(SAMPLES["a.doc"]) as container:
        streams = {name: container.openstream(name).read() for name in ("1Table", "WordDocument")}
    used = len(streams[stream].rstrip(b"\x00"))
    chance = random.Random(stream)
    with bounded(20.0):
        for _ in range(300):
            data = bytearray(streams[stream])
            for _ in range(chance.choice((1, 3))):
                data[chance.randrange(used)] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
            survives(ole({**streams, stream: bytes(data)}), "a.doc")
