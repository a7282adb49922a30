"""Text recognition (OCR) of one picture, by the PP-OCR models that `rapidocr` carries in its package.

Nothing is ever downloaded: the three model files are looked for before, and the package's way to fetch them is closed.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ingest.errors import UnreadableDocument
from ingest.readers.effort import supervisor
from vectorstore.models import disable_telemetry

MISSING = 'needs text recognition (OCR); install it with: pip install "zhice[ocr]"'

# At 2 to 5 s a page these are some ten minutes; longer scans are books, to be added in parts.
MAX_RECOGNISED_PAGES = 200
# Lines below are guesses at seals, stains and handwriting: of the files measured none held a right word.
LINE_CONFIDENCE = 0.5
# Pages turned the wrong way come to 0.70-0.82, straight ones to 0.94-1.00 (mean of their characters).
_SURE = 0.9
# A box at least this much higher than wide is a turned line, or one written downwards.
_ELONGATED = 1.5
# Enough of the longest lines to tell which way up a page is.
_SAMPLED = 12
# More threads than this gain nothing on pictures of one page (1 thread 2.4 s, 2 threads 1.5 s).
_MAX_THREADS = 4
_LONGEST_SIDE = 2_400

_NO_MEMORY = re.compile(r"bad_alloc|[Aa]llocate|[Ii]nsufficient memory|[Oo]ut of memory")


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of a line; edges in pixels from the picture's upper left."""

    text: str
    confidence: float
    left: float
    top: float
    right: float
    bottom: float

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def height(self) -> float:
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Recognised:
    """The words of a picture, turned so that they stand upright; `confidence` is the mean over all characters."""

    words: tuple[Word, ...]
    confidence: float
    picture: Any


def is_installed() -> bool:
    """Whether text recognition can be used here."""
    return all(find_spec(name) is not None for name in ("rapidocr", "onnxruntime"))


def recognise(picture: Any) -> Recognised:
    """The words of a picture (an array of height x width x 3, blue first), turned by quarters until it reads best.

    Raises:
        UnreadableDocument: text recognition, or a part of it, is not installed.
    """
    import numpy

    supervisor().text_recognition()
    engine = _engine()
    with _LOCK, _memory_told():
        boxes = _boxes(engine, picture)
        turned = _is_turned(boxes)
        best = _read(engine, picture, boxes) if not turned else None
        if best is not None and (best.confidence >= _SURE or not best.words):
            return best
        for quarters in (3, 1) if turned else (2,):
            other = numpy.ascontiguousarray(numpy.rot90(picture, quarters))
            if best is None or _sampled(engine, other) > max(best.confidence, 0.0):
                found = _read(engine, other, _boxes(engine, other))
                if best is None or found.confidence > best.confidence:
                    best = found
            if best.confidence >= _SURE:
                break
        return best or Recognised((), 0.0, picture)


_LOCK = threading.Lock()


@contextmanager
def _memory_told() -> Iterator[None]:
    """Raise `MemoryError` where the libraries raise errors of their own for it."""
    try:
        yield
    except Exception as error:
        if _NO_MEMORY.search(str(error)):
            raise MemoryError from error
        raise


@cache
def _engine() -> Any:
    """The models, loaded once: 1.5 s and some 400 MiB."""
    if not is_installed():
        raise UnreadableDocument(f"Reading it {MISSING}")
    disable_telemetry()
    import cv2
    import rapidocr
    from rapidocr.utils.download_file import DownloadFile

    setattr(DownloadFile, "run", _no_download)  # noqa: B010 (the type of a method cannot be assigned)
    threads = max(1, min(_MAX_THREADS, os.cpu_count() or 1))
    cv2.setNumThreads(threads)
    folder = Path(rapidocr.__file__).parent / "models"
    models = {
        part: _model(folder, pattern) for part, pattern in (("Det", "*_det_small.onnx"), ("Rec", "*_rec_small.onnx"))
    }
    return rapidocr.RapidOCR(
        params={
            **{f"{part}.model_path": str(path) for part, path in models.items()},
            "Global.use_cls": False,
            "Global.text_score": 0.0,
            "Global.max_side_len": _LONGEST_SIDE,
            "Global.log_level": "error",
            # Lines are widened to the longest of their batch: one by one takes less time and 140 MiB less.
            "Rec.rec_batch_num": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _model(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise UnreadableDocument(
            f"Text recognition (OCR) is installed without its model {pattern}, and none is downloaded; "
            'install it again with: pip install --force-reinstall "zhice[ocr]"'
        )
    return found[0]


def _no_download(_: object) -> None:
    raise UnreadableDocument(
        "Text recognition (OCR) wants to download a model; Zhice never does. Install zhice[ocr] again."
    )


def _boxes(engine: Any, picture: Any) -> list[Any]:
    """The four corners of every piece of text, the upper left first."""
    found = engine(picture, use_det=True, use_cls=False, use_rec=False)
    return [] if found.boxes is None else list(found.boxes)


def _sides(box: Any) -> tuple[float, float]:
    """Width and height."""
    width = (abs(box[1] - box[0]) ** 2).sum() ** 0.5
    height = (abs(box[3] - box[0]) ** 2).sum() ** 0.5
    return float(width), float(height)


def _is_turned(boxes: Sequence[Any]) -> bool:
    """Whether most of the text runs up or down the picture."""
    along = across = 0.0
    for width, height in map(_sides, boxes):
        if width >= _ELONGATED * height:
            across += width
        elif height >= _ELONGATED * width:
            along += height
    return along > across


def _sampled(engine: Any, picture: Any) -> float:
    """The confidence in the longest lines, a quick test of which way up the picture is."""
    boxes = sorted(_boxes(engine, picture), key=lambda box: -_sides(box)[0])[:_SAMPLED]
    return _read(engine, picture, boxes).confidence


def _read(engine: Any, picture: Any, boxes: Sequence[Any]) -> Recognised:
    if not boxes:
        return Recognised((), 0.0, picture)
    pieces = [_piece(engine, picture, box) for box in boxes]
    result = engine.recognize_txt(pieces)
    words: list[Word] = []
    characters = total = 0.0
    for box, text, score in zip(boxes, result.txts, result.scores, strict=True):
        clean = text.strip()
        characters += len(clean)
        total += len(clean) * float(score)
        if clean and score >= LINE_CONFIDENCE:
            xs, ys = box[:, 0], box[:, 1]
            words.append(Word(clean, float(score), *map(float, (xs.min(), ys.min(), xs.max(), ys.max()))))
    return Recognised(tuple(words), total / characters if characters else 0.0, picture)


def _piece(engine: Any, picture: Any, box: Any) -> Any:
    """The picture of one line; a line written downwards, as in narrow cells, is laid out character by character."""
    import cv2
    import numpy

    width, height = _sides(box)
    if height < _ELONGATED * width or width < 4:
        return engine.crop_text_regions(picture, numpy.array([box]))[0]
    left, top = (max(0, int(value)) for value in box.min(axis=0))
    right, bottom = (int(value) + 1 for value in box.max(axis=0))
    column = picture[top:bottom, left:right]
    count = max(2, round(column.shape[0] / column.shape[1]))
    size = 48
    squares = [
        cv2.resize(part, (size, size)) for part in numpy.array_split(column, count) if part.shape[0] and part.shape[1]
    ]
    return numpy.concatenate(squares, axis=1)
