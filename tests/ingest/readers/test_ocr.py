"""Scans and pictures: text recognition, what it may not do, and what is said where it is not sure."""

from __future__ import annotations

import builtins
import io
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from fpdf import FPDF
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ingest.errors import UnreadableDocument
from ingest.readers import effort, images, ocr, recognition
from ingest.readers.images import read_image
from ingest.readers.pdf import read_pdf
from tests.ingest.readers.test_pdf import CJK_FONTS, rows
from vectorstore.passage import Document

FONT = next((font for font in CJK_FONTS if font.exists()), None)

pytestmark = [
    pytest.mark.skipif(find_spec("rapidocr") is None, reason='needs text recognition: pip install "zhice[ocr]"'),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
chinese = pytest.mark.skipif(FONT is None, reason="needs a font with Chinese characters")

TEXT = [
    "海州市产业园区考核奖励办法",
    "第一条 园区管理机构通过年度考核的，每年奖励三百万元。",
    "第二条 奖励资金由市财政局在每年六月底以前拨付。",
    "第三条 本办法自二〇二三年五月一日起施行。",
]


def page(lines: list[str], *, size: tuple[int, int] = (1240, 900), height: int = 34) -> Image.Image:
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.truetype(str(FONT), height)
    for number, line in enumerate(lines):
        draw.text((110, 90 + 2 * height * number), line, "black", font=font)
    return picture


def saved(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    output = io.BytesIO()
    picture.save(output, kind, **options)
    return output.getvalue()


def scanned(*pictures: Image.Image) -> bytes:
    """A PDF of pictures."""
    document = FPDF(unit="pt")
    for picture in pictures:
        document.add_page(format=(picture.width / 2, picture.height / 2))
        document.image(picture, 0, 0, picture.width / 2, picture.height / 2)
    return bytes(document.output())


def solid(document: Document) -> str:
    return "".join(document.text.split())


@chinese
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"])
def test_a_picture_is_read(kind: str) -> None:
    document = read_image(saved(page(TEXT), kind), f"a.{kind.lower()}")
    assert document.media_type == f"image/{kind.lower()}"
    assert "每年奖励三百万元" in document.text
    assert "二〇二三年五月一日" in document.text or "2023年5月1日" in document.text
    assert document.pages == (0,)
    assert document.notes == ()


@chinese
def test_a_scan_keeps_its_pages_and_tells_of_progress() -> None:
    seen: list[tuple[int, int]] = []

    class Listener:
        def page(self, done: int, total: int) -> None:
            seen.append((done, total))

        def text_recognition(self) -> None:
            pass

    with effort.supervised(Listener()):
        document = read_pdf(scanned(page(TEXT[:2]), page(TEXT[2:])), "a.pdf")
    assert len(document.pages) == 2
    assert "六月底" in document.text[document.pages[1] :]
    assert "六月底" not in document.text[: document.pages[1]]
    assert seen == [(1, 2), (2, 2)]


@chinese
@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_page_is_read(turn: int) -> None:
    document = read_image(saved(page(TEXT).rotate(turn, expand=True)), "a.png")
    assert "每年奖励三百万元" in document.text
    assert document.notes == ()


@chinese
def test_the_camera_says_which_way_up() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = page(TEXT).transpose(Image.Transpose.ROTATE_90)
    array = images._decoded(saved(picture, "JPEG", exif=exif), 0)
    assert array.shape[:2] == (900, 1240)
    assert "每年奖励三百万元" in read_image(saved(picture, "JPEG", exif=exif), "a.jpg").text


@chinese
def test_a_mixed_file_keeps_its_text_and_gets_the_rest() -> None:
    document = FPDF(unit="pt")
    document.add_page()
    document.set_font("helvetica", size=12)
    document.text(60, 60, "A page that has a text layer of its own.")
    document.add_page()
    document.image(page(TEXT), 0, 0, 595)
    read = read_pdf(bytes(document.output()), "a.pdf")
    assert "A page that has a text layer of its own." in read.text[: read.pages[1]]
    assert "每年奖励三百万元" in read.text[read.pages[1] :]


@chinese
def test_a_ruled_table_is_read_by_its_cells() -> None:
    picture = page(["海州市老年人津贴标准"], size=(1240, 700))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.truetype(str(FONT), 30)
    for row, cells in enumerate(
        [("年龄", "每月标准", "备注"), ("八十至八十九岁", "一百元", ""), ("九十岁以上", "三百元", "按月")]
    ):
        for column, text in enumerate(cells):
            draw.rectangle(
                (100 + 320 * column, 200 + 80 * row, 420 + 320 * column, 280 + 80 * row), outline="black", width=3
            )
            draw.text((120 + 320 * column, 220 + 80 * row), text, "black", font=font)
    document = read_image(saved(picture), "a.png")
    assert rows(document) == [
        ["年龄", "每月标准", "备注"],
        ["八十至八十九岁", "一百元"],
        ["九十岁以上", "三百元", "按月"],
    ]


@chinese
def test_columns_are_read_one_after_the_other() -> None:
    picture = Image.new("RGB", (1400, 700), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.truetype(str(FONT), 30)
    for column, text in enumerate(["市民可以在网上提交申请材料。", "材料齐全的当日受理并出具回执。"]):
        for row in range(6):
            draw.text((80 + 680 * column, 80 + 55 * row), f"{row + 1}{text}", "black", font=font)
    text = solid(read_image(saved(picture), "a.png"))
    assert text.index("6市民可以") < text.index("1材料齐全")


@chinese
def test_a_long_picture_is_cut_into_pages() -> None:
    lines = [f"第{number}条 园区管理机构按季度报送第{number}号报表。" for number in range(1, 71)]
    document = read_image(saved(page(lines, size=(1080, 5000))), "a.png")
    assert len(document.pages) > 1
    assert [number for number in range(1, 71) if f"第{number}号报表" not in document.text] == []


@chinese
def test_several_frames_are_several_pages() -> None:
    data = saved(page(TEXT[:2]), "TIFF", save_all=True, append_images=[page(TEXT[2:])])
    assert len(read_image(data, "a.tiff").pages) == 2


@chinese
def test_a_page_read_badly_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = recognition.recognise
    monkeypatch.setattr(recognition, "recognise", lambda picture: replace(real(picture), confidence=0.62))
    document = read_pdf(scanned(page(TEXT)), "a.pdf")
    assert "每年奖励三百万元" in document.text
    assert document.notes == ("Page 1 was read with low confidence (0.62); check it against the original.",)


@chinese
def test_letters_that_cannot_be_told_lower_the_confidence() -> None:
    import numpy

    sharp, poor = page(TEXT), page(TEXT, height=14).filter(ImageFilter.GaussianBlur(2.2))
    confidence = [ocr.recognise(numpy.asarray(picture)).confidence for picture in (sharp, poor)]
    assert confidence[0] > recognition.LOW_CONFIDENCE > confidence[1]


@chinese
def test_a_page_without_a_word_is_named() -> None:
    picture = Image.new("RGB", (900, 900), "white")
    ImageDraw.Draw(picture).ellipse((200, 200, 700, 700), outline="black", width=9)
    document = read_pdf(scanned(page(TEXT), picture), "a.pdf")
    assert any("page 2" in note for note in document.notes)


def test_a_picture_without_a_word_is_refused() -> None:
    with pytest.raises(UnreadableDocument, match="No text was found"):
        read_image(saved(Image.new("RGB", (500, 500), "white")), "a.png")


@chinese
def test_too_many_pages_are_refused_with_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognition, "MAX_RECOGNISED_PAGES", 1)
    with pytest.raises(UnreadableDocument, match=r"2 of its pages are pictures, and text recognition .* 1 at most"):
        read_pdf(scanned(page(TEXT), page(TEXT)), "a.pdf")


def png_header(width: int, height: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


@pytest.fixture
def no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("the picture was decoded")

    monkeypatch.setattr(images, "_decoded", refuse)


@pytest.mark.parametrize("size", [(20_000, 20_000), (9_100, 9_100), (1, 2_000_000_000)])
@pytest.mark.usefixtures("no_decoding")
def test_a_huge_picture_is_refused_from_its_header(size: tuple[int, int]) -> None:
    with pytest.raises(UnreadableDocument, match="megapixels and the limit is 80"):
        read_image(png_header(*size), "a.png")


@pytest.mark.usefixtures("no_decoding")
def test_a_tiff_bomb_is_refused_from_its_header() -> None:
    entries = [
        (256, 4, 20_000),
        (257, 4, 20_000),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (278, 4, 20_000),
        (279, 4, 9),
    ]
    data = b"II*\x00\x08\x00\x00\x00" + struct.pack("<H", len(entries))
    data += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries) + bytes(4)
    with pytest.raises(UnreadableDocument, match="megapixels and the limit is 80"):
        read_image(data, "a.tiff")


@pytest.mark.usefixtures("no_decoding")
def test_a_tiff_of_very_many_pages_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "MAX_RECOGNISED_PAGES", 3)
    frames = [Image.new("1", (8, 8)) for _ in range(4)]
    with pytest.raises(UnreadableDocument, match="4 pages, and text recognition"):
        read_image(saved(frames[0], "TIFF", save_all=True, append_images=frames[1:]), "a.tiff")


@pytest.mark.parametrize(
    "damage", [lambda data: data[:200], lambda data: data[:60] + bytes(80) + data[140:], lambda _: b"BM"]
)
def test_a_damaged_picture_is_refused(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(UnreadableDocument, match=r"damaged picture|No text was found"):
        read_image(damage(saved(Image.effect_noise((300, 300), 90))), "a.png")


def test_without_the_extra_the_reason_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "find_spec", lambda _: None)
    with pytest.raises(UnreadableDocument, match=r'pip install "zhice\[ocr\]"'):
        read_image(saved(Image.new("RGB", (50, 50))), "a.png")


@pytest.fixture
def fresh_engine() -> Iterator[None]:
    ocr._engine.cache_clear()
    yield
    ocr._engine.cache_clear()


@pytest.mark.usefixtures("fresh_engine")
def test_a_missing_model_is_named_and_not_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import rapidocr

    monkeypatch.setattr(rapidocr, "__file__", str(tmp_path / "rapidocr" / "__init__.py"))
    with pytest.raises(UnreadableDocument, match=r"without its model .*none is downloaded"):
        read_image(saved(Image.new("RGB", (50, 50))), "a.png")


@chinese
@pytest.mark.usefixtures("fresh_engine")
def test_nothing_is_fetched_and_nothing_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every model it opens lies in the package, no connection is tried, no file is written."""
    written: list[str] = []
    plain = builtins.open

    def watched(file: object, mode: str = "r", *arguments: object, **options: object) -> object:
        if set(mode) & set("wax+"):
            written.append(str(file))
        return plain(file, mode, *arguments, **options)  # type: ignore[call-overload]

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a connection was tried")

    monkeypatch.setattr(builtins, "open", watched)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert "每年奖励三百万元" in read_image(saved(page(TEXT)), "a.png").text
    assert written == []


def test_its_way_to_download_is_closed() -> None:
    ocr._engine()
    from rapidocr.utils.download_file import DownloadFile

    with pytest.raises(UnreadableDocument, match="never does"):
        DownloadFile.run(None)
