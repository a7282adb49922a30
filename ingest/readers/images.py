"""Pictures of documents: scans and photographs (JPEG, PNG, TIFF of several pages, BMP, WebP, GIF), by text recognition."""

from __future__ import annotations

import io
import warnings
from typing import Any

from ingest.errors import UnreadableDocument
from ingest.readers import ocr
from ingest.readers.effort import supervisor
from ingest.readers.pdf_layout import Line, Table, running_lines, split_watermarks
from ingest.readers.pdf_writing import write_pages
from ingest.readers.recognition import recognised_pages
from vectorstore.passage import Document

# A page of A3 scanned at 600 dpi has 70 million; the limit of Pillow, 89 million, is not reached.
MAX_PIXELS = 80_000_000
# A4 at 180 dpi: lines are then high enough for the models, and a page of text takes seconds.
_SHORT_SIDE = 1_500
# Long pictures, as phones show them, are read in slices about as high as a page.
_SLICE = 2_000
_LONGEST_SLICE = 2_300
# How a camera was held, as EXIF says it, and what Pillow does to undo that (the values of `Image.Transpose`).
_ORIENTATION = 0x0112
_TURNS = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
_FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "WEBP", "GIF")


def read_image(data: bytes, source: str) -> Document:
    """A document of a picture's text; each frame of a TIFF, and each slice of a long picture, is a page.

    Raises `UnreadableDocument` for a picture that is too large, damaged or without text, and where text recognition is
    not installed.
    """
    if not ocr.is_installed():
        raise UnreadableDocument(f"It is a picture, and reading it {ocr.MISSING}, or add the original document.")
    supervisor().text_recognition()
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
                kind, slices = (image.format or "").lower(), _Slices(data, image)
            return _read(slices, kind, source)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise UnreadableDocument(_too_large()) from error
        except UnidentifiedImageError as error:
            raise UnreadableDocument("It is a damaged picture; save it again as PNG or JPEG.") from error
        except (OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError) as error:
            # What Pillow's decoders raise for files that are cut short or altered.
            raise UnreadableDocument("It is a damaged picture; save it again as PNG or JPEG.") from error


def _read(slices: _Slices, kind: str, source: str) -> Document:
    numbers = list(range(1, slices.count + 1))
    found = recognised_pages(numbers, slices.picture)
    if not found.parts:
        raise UnreadableDocument("No text was found in the picture; add a clearer one, or the original document.")
    pages: list[list[Line | Table]] = [found.parts.get(number, []) for number in numbers]
    pages = split_watermarks(pages)
    return write_pages(pages, running_lines(pages), source, found.notes, f"image/{kind}")


class _Slices:
    """The frames of a picture cut to pages, one decoded at a time."""

    def __init__(self, data: bytes, image: Any) -> None:
        self._data = data
        self._places: list[tuple[int, int, int]] = []  # frame, slice of it, slices it has
        self._kept: tuple[int, Any] | None = None
        frames = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
        if frames > ocr.MAX_RECOGNISED_PAGES:
            raise UnreadableDocument(
                f"It has {frames:,} pages, and text recognition (OCR) takes {ocr.MAX_RECOGNISED_PAGES} at most; split it."
            )
        for frame in range(frames):
            image.seek(frame)
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise UnreadableDocument(_too_large(width * height))
            if min(width, height) < 1:
                continue
            high = height * min(1.0, _SHORT_SIDE / min(width, height))
            count = max(1, round(high / _SLICE)) if high > _LONGEST_SLICE and height > width else 1
            self._places += [(frame, number, count) for number in range(count)]

    @property
    def count(self) -> int:
        return len(self._places)

    def picture(self, page: int) -> Any:
        """One page as an array of height x width x 3, blue first."""
        frame, number, count = self._places[page - 1]
        if self._kept is None or self._kept[0] != frame:
            self._kept = frame, _decoded(self._data, frame)
        whole = self._kept[1]
        if count == 1:
            return whole
        edges = [_gap(whole, round(len(whole) * part / count)) for part in range(count + 1)]
        return whole[edges[number] : edges[number + 1]].copy()


def _decoded(data: bytes, frame: int) -> Any:
    """A frame upright, on white, at the size that text recognition wants; its full size is let go of."""
    import numpy
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        image.seek(frame)
        scale = _scale(image.size)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        if image.format == "JPEG":
            image.draft("RGB", size)
        shown: Image.Image = image
        if image.mode in ("1", "P") or image.mode.startswith("I;16"):
            shown = image.convert("RGBA" if "transparency" in image.info else "L" if image.mode != "P" else "RGB")
        if scale < 1:
            shown = shown.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
        shown.load()
        turned = image.getexif().get(_ORIENTATION, 1)
    if shown.mode in ("RGBA", "LA", "PA") or "transparency" in shown.info:
        coloured = shown.convert("RGBA")
        shown = Image.new("RGBA", coloured.size, "white")
        shown.alpha_composite(coloured)
    if (how := _TURNS.get(turned)) is not None:
        shown = shown.transpose(Image.Transpose(how))
    return numpy.ascontiguousarray(numpy.asarray(shown.convert("RGB"))[:, :, ::-1])


def _scale(size: tuple[int, int]) -> float:
    return min(1.0, _SHORT_SIDE / max(1, min(size)))


def _gap(picture: Any, near: int) -> int:
    """The row nearest to `near` of which the pixels differ least: between two lines, not through one."""
    if near <= 0 or near >= len(picture):
        return max(0, min(near, len(picture)))
    reach = _SLICE // 8
    first, last = max(1, near - reach), min(len(picture) - 1, near + reach)
    spread = picture[first:last].max(axis=2).astype("int16")
    rows = spread.max(axis=1) - spread.min(axis=1)
    order = sorted(range(len(rows)), key=lambda row: (int(rows[row]) // 16, abs(first + row - near)))
    return int(first + order[0])


def _too_large(pixels: int = 0) -> str:
    size = f"{pixels / 1e6:.0f} megapixels" if pixels else f"over {MAX_PIXELS / 1e6:.0f} megapixels"
    return f"It is a picture of {size} and the limit is {MAX_PIXELS / 1e6:.0f}; save it smaller, or split it."
