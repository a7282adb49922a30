"""A small encoder for tests that are not about meaning: texts that share characters are near; loads and runs in no time."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from vectorstore.encoder import BUNDLED_ENCODER

DIMENSION: Final = 64


def write(folder: Path) -> Path:
    """A folder as `training.export` writes one: the bundled tokenizer, and a fixed random vector for each of its pieces."""
    shutil.copy(BUNDLED_ENCODER / "tokenizer.json", folder)
    # Whole numbers, whose sums are the same in any order, and so in any batch.
    pieces = np.random.default_rng(1).integers(-9, 10, (40_000, DIMENSION)).astype(np.float32)
    axes = numpy_helper.from_array(np.array([1]), "axes")
    last = numpy_helper.from_array(np.array([-1]), "last")
    nodes = [
        helper.make_node("Gather", ["pieces", "ids"], ["rows"]),
        helper.make_node("Cast", ["mask"], ["there"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["there", "last"], ["column"]),
        helper.make_node("Mul", ["rows", "column"], ["read"]),
        helper.make_node("ReduceSum", ["read", "axes"], ["sum"], keepdims=0),
        helper.make_node("LpNormalization", ["sum"], ["vectors"], axis=1),
    ]
    given = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in ("ids", "mask")]
    made = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", DIMENSION])]
    graph = helper.make_graph(nodes, "tiny", given, made, [numpy_helper.from_array(pieces, "pieces"), axes, last])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    return folder
