"""ONNX models on the processor: opening one, and running its batches with little padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from vectorstore.models import disable_telemetry

# Tokens of a batch, padding included: larger ones are no faster, and take memory that the allocator does not give back.
TOKENS_AT_ONCE: Final = 2_048

# Lengths are padded to multiples of this, so that few shapes occur.
SHAPE_STEP: Final = 8

Array = NDArray[Any]
FileState = tuple[Path, int, int]  # path, when it was written, size


def open_session(path: Path, threads: int = 0) -> Any:
    """The model of a file; `threads` 0 are as many as there are cores.

    Whoever opens the same file again gets the same session, which may run in several threads at once: a model takes
    150 MiB. A file that was replaced is opened anew.

    Raises:
        Exception: onnxruntime's own, of many kinds, where the file is no model that it can run.
    """
    return _session(_state(path), threads)


def open_tokenizer(path: Path, longest: int) -> Tokenizer:
    """The tokenizer of a file, cutting what is longer than `longest` tokens and padding nothing; opened once, as a session is: change nothing of it."""
    return _tokenizer(_state(path), longest)


def _state(path: Path) -> FileState:
    status = path.stat()
    return path.resolve(), status.st_mtime_ns, status.st_size


@lru_cache(maxsize=4)
def _session(state: FileState, threads: int) -> Any:
    disable_telemetry()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads leave the cores to others
    options.enable_cpu_mem_arena = False  # an arena keeps what the longest batch took
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(state[0]), options, providers=["CPUExecutionProvider"])


@lru_cache(maxsize=4)
def _tokenizer(state: FileState, longest: int) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(state[0]))
    tokenizer.no_padding()
    tokenizer.enable_truncation(longest)
    return tokenizer


def run(session: Any, encodings: Sequence[Encoding]) -> Iterator[tuple[list[int], list[Array]]]:
    """Run a model over encodings, those of about one length together.

    Yields:
        The places of a batch's encodings, and the model's outputs for them.
    """
    order = sorted(range(len(encodings)), key=lambda place: len(encodings[place].ids))
    batch: list[int] = []
    for place in order:
        width = _padded(len(encodings[place].ids))
        if batch and (len(batch) + 1) * width > TOKENS_AT_ONCE:
            yield batch, _run(session, [encodings[each] for each in batch])
            batch = []
        batch.append(place)
    if batch:
        yield batch, _run(session, [encodings[each] for each in batch])


def _run(session: Any, encodings: Sequence[Encoding]) -> list[Array]:
    width = _padded(max(len(each.ids) for each in encodings))
    ids = np.ones((len(encodings), width), dtype=np.int64)  # 1 is <pad>; the mask leaves it out
    mask = np.zeros((len(encodings), width), dtype=np.int64)
    for row, encoding in enumerate(encodings):
        ids[row, : len(encoding.ids)] = encoding.ids
        mask[row, : len(encoding.ids)] = 1
    outputs: list[Array] = session.run(None, {"ids": ids, "mask": mask})
    return outputs


def _padded(length: int) -> int:
    return -(-length // SHAPE_STEP) * SHAPE_STEP
