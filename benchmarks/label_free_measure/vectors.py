"""The dense systems of the benchmark: their passage vectors, and their encoders of questions."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from benchmarks.label_free_measure.systems import Encode
from spider.corpus.corpus import Corpus
from spider.encoders.loading import load_encoder

PAD_BATCH = 8192
MAXIMUM = 256


class Transformer:
    """A sentence-transformers folder with mean pooling and unit vectors, in bfloat16."""

    def __init__(self, folder: Path, *, layers: int | None = None, weights: Path | None = None):
        from transformers import AutoModel

        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAXIMUM)
        self.model = AutoModel.from_pretrained(folder)
        if layers is not None:
            self.model.encoder.layer = self.model.encoder.layer[:layers]
        if weights is not None:
            self.model.load_state_dict(torch.load(weights, weights_only=True))
        self.model.eval()

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts, the longest first."""
        ids = [encoded.ids for encoded in self.tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(ids)), key=lambda row: -len(ids[row]))
        vectors = np.zeros((len(ids), self.model.config.hidden_size), dtype=np.float32)
        place = 0
        while place < len(order):
            length = len(ids[order[place]])
            rows = order[place : place + max(1, PAD_BATCH // length)]
            vectors[rows] = self._pooled([ids[row] for row in rows], length)
            place += len(rows)
        return vectors

    def _pooled(self, ids: Sequence[list[int]], length: int) -> np.ndarray:
        padded = torch.zeros(len(ids), length, dtype=torch.long)
        for row, text in enumerate(ids):
            padded[row, : len(text)] = torch.tensor(text)
        mask = torch.arange(length) < torch.tensor([[len(text)] for text in ids])
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            states = self.model(input_ids=padded, attention_mask=mask.long()).last_hidden_state
        sums = (states.float() * mask[..., None]).sum(1)
        vectors: np.ndarray = torch.nn.functional.normalize(sums, dim=1).numpy()
        return vectors


class Bag:
    """The mean of the token vectors of a table, of unit length."""

    def __init__(self, table: np.ndarray, tokenizer: Tokenizer):
        self.table = table.astype(np.float32)
        self.tokenizer = tokenizer
        tokenizer.no_padding()
        tokenizer.no_truncation()

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts."""
        encoded = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        sums = np.stack([self.table[one.ids].sum(axis=0) for one in encoded])
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        return np.asarray(sums / np.maximum(norms, 1e-12), dtype=np.float32)


def wordllama(folder: Path) -> Bag:
    """Read the table of the unpacked wheel wordllama==0.4.0.post1."""
    table = load_file(folder / "weights" / "l2_supercat_256.safetensors")
    name = folder / "tokenizers" / "l2_supercat_tokenizer_config.json"
    return Bag(next(iter(table.values())), Tokenizer.from_file(str(name)))


def word_pieces(folder: Path) -> Bag:
    """Take the input table of a transformer as a static encoder."""
    weights = load_file(folder / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return Bag(weights["embeddings.word_embeddings.weight"], tokenizer)


def encode_corpus(encode: Encode, corpus: Corpus, path: Path, block: int = 4096) -> np.ndarray:
    """Return the vectors of passages as ``title + " " + text``, from a file where they are."""
    if not path.exists():
        parts = []
        for first in range(0, len(corpus), block):
            places = range(first, min(first + block, len(corpus)))
            texts = zip(corpus.titles(places), corpus.texts(places), strict=True)
            parts.append(encode([f"{title} {text}" for title, text in texts]).astype(np.float16))
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.concatenate(parts))
    return np.asarray(np.load(path))


def static_vectors(encoder: Path, corpus: Corpus, path: Path) -> tuple[np.ndarray, Encode]:
    """Return the vectors of a trained ``static`` encoder, and its encoder of questions."""
    loaded = load_encoder(encoder)
    if not path.exists():
        places = range(len(corpus))
        vectors = loaded.encode_passages(corpus.titles(places), corpus.texts(places))
        np.save(path, vectors.astype(np.float16))
    return np.asarray(np.load(path)), loaded.encode_questions
