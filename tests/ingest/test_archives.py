"""Zip archives: which files are in them, under which names, and what is refused."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import archives
from ingest.archives import Member, members
from ingest.errors import UnreadableDocument


def zipped(*files: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return buffer.getvalue()


def names(data: bytes) -> list[str]:
    return [member.name for member in members(data, "a.zip") or []]


def renamed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert len(old) == len(new)
    return data.replace(old, new)


def test_files_come_in_order_with_their_bytes() -> None:
    data = zipped(("政策/办法.txt", b"one"), ("政策/", b""), ("b.txt", b"two"))
    assert members(data, "a.zip") == [Member("政策/办法.txt", b"one"), Member("b.txt", b"two")]


@pytest.mark.parametrize(
    "data", [b"", b"plain text", b"PK\x03\x04 damaged", b"Rar!\x1a\x07", zipped(("x", b"y"))[:-30]]
)
def test_what_is_no_archive_is_none(data: bytes) -> None:
    assert members(data, "a.zip") is None


@pytest.mark.parametrize("part", ["[Content_Types].xml", "mimetype", "META-INF/container.xml", "OFD.xml"])
def test_a_package_is_no_archive(part: str) -> None:
    assert members(zipped((part, b"x"), ("word/document.xml", b"x")), "a.docx") is None


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "gb18030"])
def test_names_without_a_flag_are_decoded(encoding: str) -> None:
    raw = "海州市/人才安居办法.txt".encode(encoding)
    data = zipped(("x" * len(raw), b"text"))
    assert names(renamed(data, b"x" * len(raw), raw)) == ["海州市/人才安居办法.txt"]


def test_a_name_kept_in_unicode_beside_the_other_goes_first() -> None:
    info = zipfile.ZipInfo("abc.txt")
    name = "办法.txt".encode()
    info.extra = struct.pack("<HHBI", 0x7075, 5 + len(name), 1, zlib.crc32(b"abc.txt")) + name
    assert names(zipped((info, b"x"))) == ["办法.txt"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("a/../../b.txt", "a/b.txt"),
        ("C:\\Windows\\b.txt", "C_/Windows/b.txt"),
        ("..\\..\\b.txt", "b.txt"),
        ("a//./b.txt", "a/b.txt"),
        ("a\x07b.txt", "a_b.txt"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert names(zipped((name, b"x"))) == [safe]


def test_names_are_unique() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped(("a.txt", b"1"), ("a.txt", b"2"), ("./A.TXT", b"3"), ("noext", b"4"), ("./noext", b"5"))
    assert names(data) == ["a.txt", "a (2).txt", "A (3).TXT", "noext", "noext (2)"]


@pytest.mark.parametrize(
    "name", [".DS_Store", "__MACOSX/._a.txt", "a/.git/config", "~$办法.docx", "Thumbs.db", "a/desktop.ini", "..", "/"]
)
def test_hidden_files_are_left_out(name: str) -> None:
    assert names(zipped((name, b"x"), ("b.txt", b"x"))) == ["b.txt"]


def test_links_are_left_out() -> None:
    link = zipfile.ZipInfo("link.txt")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    assert names(zipped((link, b"/etc/passwd"), ("b.txt", b"x"))) == ["b.txt"]


def _encrypted(data: bytes) -> bytes:
    first = data.index(b"PK\x01\x02")
    return data[: first + 8] + b"\x01" + data[first + 9 :]


def _unknown_method(data: bytes) -> bytes:
    first = data.index(b"PK\x01\x02")
    return data[: first + 10] + b"\x09\x00" + data[first + 12 :]


def _wrong_sum(data: bytes) -> bytes:
    first = data.index(b"PK\x01\x02")
    return data[: first + 16] + b"\x00\x00\x00\x00" + data[first + 20 :]


@pytest.mark.parametrize(
    ("change", "reason"), [(_encrypted, "password"), (_unknown_method, "damaged"), (_wrong_sum, "damaged")]
)
def test_a_member_that_cannot_be_read_says_why_and_the_others_go_in(
    change: Callable[[bytes], bytes], reason: str
) -> None:
    data = change(zipped(("a.txt", b"one"), ("b.txt", b"two")))
    first, second = members(data, "a.zip") or []
    assert (first.name, first.data) == ("a.txt", b"")
    assert reason in first.reason
    assert second == Member("b.txt", b"two")


def test_an_archive_in_an_archive_is_refused_and_a_document_is_not() -> None:
    inner, word = zipped(("a.txt", b"one")), zipped(("[Content_Types].xml", b"x"))
    first, second = members(zipped(("inner.zip", inner), ("b.docx", word)), "a.zip") or []
    assert "within an archive" in first.reason
    assert second == Member("b.docx", word)


def test_too_many_files_are_refused() -> None:
    with pytest.raises(UnreadableDocument, match="1,001 files"):
        members(zipped(*((f"{number}.txt", b"") for number in range(1_001))), "a.zip")


def test_an_archive_that_lists_its_entries_without_end_is_refused_before_it_is_opened() -> None:
    with pytest.raises(UnreadableDocument, match="limit is 1,000"):
        members(b"PK\x03\x04" + b"PK\x01\x02" * 30_000, "a.zip")


def test_a_bomb_is_refused_by_what_it_unpacks_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 4_000_000)
    monkeypatch.setattr(archives, "_BLOCK", 100_000)
    assert members(zipped(("a.txt", bytes(3_900_000))), "a.zip") == [Member("a.txt", bytes(3_900_000))]
    with pytest.raises(UnreadableDocument, match="unpacks to more than"):
        members(zipped(("a.txt", bytes(3_900_000)), ("b.txt", bytes(200_000))), "a.zip")


def test_a_bomb_that_claims_to_be_small_is_cut_short() -> None:
    data = bytearray(zipped(("a.txt", bytes(5_000_000))))
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 10)
    (member,) = members(bytes(data), "a.zip") or []
    assert member.reason or len(member.data) <= 10


def test_a_file_over_the_limit_of_a_document_is_refused_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 1_000)
    first, second = members(zipped(("a.txt", bytes(1_001)), ("b.txt", b"two")), "a.zip") or []
    assert "split" in first.reason
    assert second.data == b"two"


@given(st.binary(max_size=120), st.integers(0, 200))
def test_damaged_archives_raise_nothing_else(noise: bytes, place: int) -> None:
    data = zipped(("办法.txt", b"one" * 50), ("b.txt", b"two"))
    try:
        found = members(data[:place] + noise + data[place + len(noise) :], "a.zip") or []
    except UnreadableDocument:
        return
    assert all(".." not in member.name.split("/") and not member.name.startswith("/") for member in found)
