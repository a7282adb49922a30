"""`python -m training.export encoder|reader FOLDER OUT`: a trained model as the int8 ONNX file that ships.

Matrices and word vectors become 8-bit integers with a scale for each output; what is multiplied with them is quantised as
it comes (onnxruntime's dynamic quantisation). What goes into the second matrix of each feed-forward block has outliers that
eight bits do not hold: those are multiplied in full precision, their weights kept in 8 bits all the same. An encoder is
compared with the float model over COMPARED of our invented passages.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertConfig, BertModel

from training import base, rows
from training.reader import HEADS, CrossEncoder
from vectorstore.encoder import DOCUMENT_PROMPT, QUERY_PROMPT, OnnxEncoder

OPSET: Final = 17
COMPARED: Final = 60
SENSITIVE: Final = re.compile(r"layer\.\d+/output/dense/MatMul$")
PROMPTS: Final = {"query": QUERY_PROMPT, "document": DOCUMENT_PROMPT}
MODULE: Final = "vectorstore.models.sentence_module.OnnxEncoder"


class Pooled(nn.Module):
    """The mean of a transformer's token vectors, of length 1."""

    def __init__(self, bert: BertModel) -> None:
        super().__init__()
        self.bert = bert

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Vectors (batch, width)."""
        states = self.bert(ids, attention_mask=mask).last_hidden_state
        return nn.functional.normalize((states * mask[..., None]).sum(1), dim=-1)


def export(model: nn.Module, outputs: list[str], out: Path) -> None:
    """Write a model of ids and mask as int8 ONNX."""
    ids = torch.arange(5, 29).repeat(2, 1)
    names = {0: "batch", 1: "tokens"}
    axes: dict[str, Any] = dict.fromkeys(("ids", "mask", "start", "end", "keep"), names)
    axes |= {name: {0: "batch"} for name in ("vectors", "relevance")}
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "float.onnx"
        with warnings.catch_warnings():  # the newer exporter needs another package, and gives the same file
            warnings.simplefilter("ignore")
            torch.onnx.export(
                model.eval(),
                (ids, torch.ones_like(ids)),
                str(whole),
                input_names=["ids", "mask"],
                output_names=outputs,
                dynamic_axes={name: axes[name] for name in ("ids", "mask", *outputs)},
                opset_version=OPSET,
                dynamo=False,
            )
        sensitive = [node for node in onnx.load(whole).graph.node if SENSITIVE.search(node.name)]
        excluded = [node.name for node in sensitive]
        # Seven bits: on processors without VNNI, products of signed bytes overflow 16 bits and are cut.
        quantize_dynamic(
            whole, out, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8, nodes_to_exclude=excluded
        )
    shrunk = onnx.load(out)
    for node in sensitive:
        _shrink(shrunk.graph, node.input[1])
    onnx.save(shrunk, out)


def _shrink(graph: Any, name: str) -> None:
    """Keep a matrix (inputs, outputs) as bytes and a scale for each output; onnxruntime makes floats of it on loading."""
    kept = next(each for each in graph.initializer if each.name == name)
    matrix = numpy_helper.to_array(kept)
    scale = (np.abs(matrix).max(axis=0, keepdims=True) / 127).astype(np.float32)
    graph.initializer.remove(kept)
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.round(matrix / scale).astype(np.int8), f"{name}_bytes"),
            numpy_helper.from_array(scale, f"{name}_scale"),
        ]
    )
    graph.node.insert(0, helper.make_node("Cast", [f"{name}_bytes"], [f"{name}_whole"], to=TensorProto.FLOAT))
    graph.node.insert(1, helper.make_node("Mul", [f"{name}_whole", f"{name}_scale"], [name]))


def main() -> None:
    """Export one of the two."""
    parser = argparse.ArgumentParser(prog="python -m training.export", description=__doc__)
    parser.add_argument("model", choices=("encoder", "reader"))
    parser.add_argument("folder", type=Path, help="what training.encoder or training.reader made")
    parser.add_argument("out", type=Path, help="folder of the shipped model")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    Tokenizer.from_file(str(arguments.folder / "tokenizer.json")).save(
        str(arguments.out / "tokenizer.json"), pretty=False
    )
    target = arguments.out / "model.onnx"
    config = BertConfig.from_pretrained(arguments.folder, attn_implementation="eager")
    if arguments.model == "encoder":
        export(
            Pooled(BertModel.from_pretrained(arguments.folder, config=config, add_pooling_layer=False).float()),
            ["vectors"],
            target,
        )
        modules = [{"idx": 0, "name": "0", "path": "", "type": MODULE}]
        (arguments.out / "modules.json").write_text(json.dumps(modules, indent=2), encoding="utf-8")
        settings = {"model_type": "SentenceTransformer", "prompts": PROMPTS, "similarity_fn_name": "cosine"}
        (arguments.out / "config_sentence_transformers.json").write_text(
            json.dumps(settings, indent=2), encoding="utf-8"
        )
        passages = list(dict.fromkeys(row.passage.text for row in rows.invented_rows()))[:COMPARED]
        whole = base.Embedder(arguments.folder)([f"{DOCUMENT_PROMPT}{text}" for text in passages])
        cosines = (whole * OnnxEncoder(arguments.out).encode(passages)).sum(axis=1)
        print(f"cosine to the float model: mean {cosines.mean():.4f}, least {cosines.min():.4f}")
    else:
        model = CrossEncoder(BertModel(config, add_pooling_layer=False))
        model.load_state_dict(torch.load(arguments.folder / "reader.pt", weights_only=True))
        export(model, list(HEADS), target)


if __name__ == "__main__":
    main()
