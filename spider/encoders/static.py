"""The ``static`` encoder: a learned, weighted bag of word pieces, for CPUs.

A text's vector is the normalised sum of its tokens' vectors, each times its token's learned weight:
``v = normalise(sum_i w_i V_i)``. One table serves questions and passages. For inference the weights
are folded into the table, which then loads in sentence-transformers as StaticEmbedding + Normalize
(their mean and our sum differ by a factor that the normalisation removes).

Unlike the paper, which trains BERT on raw inner products, vectors have unit length, and the
training logits are ``score_multiplier`` times the cosine.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from jaxtyping import Float, Float32, Integer
from torch import Tensor, nn

from spider.atomic_files import write_json
from spider.encoders.sentence_transformers_layout import write_layout
from spider.encoders.weighted_bag import bag_of_rows, weighted_bag
from spider.encoders.weights import check_weights, load_weights
from spider.errors import ConfigError
from spider.token_batch import TokenBatch
from spider.tokenizer import TOKENIZER_FILE, Tokenizer, load_tokenizer
from spider.vocabulary import train_tokenizer

VARIANT = "static"
FOLDER = "0_StaticEmbedding"
TABLE = "embedding.weight"
SMALLEST_NORM = 1e-12
"""What torch's normalize and sentence-transformers divide by at least."""


class StaticSettings:
    """Settings of the ``static`` encoder.

    Args:
        dimension: length of a vector.
        vocabulary_size: at most this many word pieces; a small corpus gets fewer.
        lower_case: lower the case and strip accents.
        tokenizer_source: "" trains a vocabulary on the corpus; else a folder, a ``tokenizer.json``,
            a ``vocab.txt`` or a name on the hub.
        score_multiplier: the training logits are this times the cosine.
        initial_scale: standard deviation of the initial vectors' numbers.
    """

    variant = VARIANT

    def __init__(
        self,
        *,
        dimension: int = 768,
        vocabulary_size: int = 30_000,
        lower_case: bool = True,
        tokenizer_source: str = "",
        score_multiplier: float = 20.0,
        initial_scale: float = 0.05,
    ):
        for name, value in (("dimension", dimension), ("initial_scale", initial_scale)):
            if value <= 0:
                raise ConfigError(f"encoder.{name}={value}; expected a number above 0")
        self.dimension = dimension
        self.vocabulary_size = vocabulary_size
        self.lower_case = lower_case
        self.tokenizer_source = tokenizer_source
        self.score_multiplier = score_multiplier
        self.initial_scale = initial_scale

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the vocabulary comes from."""
        return (self.tokenizer_source,)

    def tokenizer(self, corpus_texts: Iterable[str], folder: Path) -> Tokenizer:
        """Train a vocabulary, or load the configured one; what ``folder`` already holds is kept."""
        if (folder / TOKENIZER_FILE).is_file():
            return load_tokenizer(folder)
        if self.tokenizer_source:
            tokenizer = load_tokenizer(self.tokenizer_source, lower_case=self.lower_case)
        else:
            tokenizer = train_tokenizer(
                corpus_texts, vocabulary_size=self.vocabulary_size, lower_case=self.lower_case
            )
        tokenizer.save(folder)
        return tokenizer

    def build(
        self,
        tokenizer: Tokenizer,
        *,
        seed: int,
        idf: Float[np.ndarray, " vocabulary"] | None = None,
    ) -> "TrainableStatic":
        """Make the module: random vectors, weights from ``idf`` where given, else all one."""
        generator = torch.Generator().manual_seed(seed)
        shape = (tokenizer.vocabulary_size, self.dimension)
        vectors = torch.randn(shape, generator=generator) * self.initial_scale
        weights = np.ones(shape[0]) if idf is None else np.maximum(idf, 0.05)
        return TrainableStatic(
            vectors, torch.from_numpy(np.log(weights).astype(np.float32)), tokenizer, self
        )


class TrainableStatic(nn.Module):
    """A table of vectors and one of log weights.

    The exponential keeps weights positive, and a step of Adam changes one by a share of itself.

    Args:
        vectors: initial table.
        log_weights: logarithms of the initial weights.
        tokenizer: goes into the checkpoint.
        settings: dimension and score multiplier.
    """

    variant = VARIANT

    def __init__(
        self,
        vectors: Float32[Tensor, "vocabulary dimension"],
        log_weights: Float32[Tensor, " vocabulary"],
        tokenizer: Tokenizer,
        settings: StaticSettings,
    ):
        super().__init__()
        self.vectors = nn.Parameter(vectors)
        self.log_weights = nn.Parameter(log_weights)
        self.tokenizer = tokenizer
        self.dimension = settings.dimension
        self.score_multiplier = settings.score_multiplier

    def query_ids(self, ids: Integer[np.ndarray, " _"]) -> Integer[np.ndarray, " _"]:
        """Return the ids as they are: no special tokens, no maximum."""
        return ids

    def passage_ids(
        self, title_ids: Integer[np.ndarray, " _"], text_ids: Integer[np.ndarray, " _"]
    ) -> Integer[np.ndarray, " _"]:
        """Return ``title [SEP] text``, without a title the text alone."""
        if len(title_ids) == 0:
            return text_ids
        return np.concatenate([title_ids, [self.tokenizer.sep_id], text_ids]).astype(text_ids.dtype)

    def encode_tokens(
        self, batch: TokenBatch, *, passages: bool
    ) -> Float32[Tensor, "texts dimension"]:
        """Encode texts; questions and passages alike."""
        sums = weighted_bag(self.vectors, self.log_weights.exp(), batch)
        return nn.functional.normalize(sums, dim=-1, eps=SMALLEST_NORM)

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Return both tables without weight decay."""
        return [
            {"params": [parameter], "lr": learning_rate, "weight_decay": 0.0}
            for parameter in (self.vectors, self.log_weights)
        ]

    def folded(self) -> Float32[Tensor, "vocabulary dimension"]:
        """Return the table with the weights multiplied in."""
        return (self.vectors.detach() * self.log_weights.detach().exp()[:, None]).cpu()

    def export(self, folder: Path) -> dict[str, Any]:
        """Write the folded table in sentence-transformers' layout."""
        (folder / FOLDER).mkdir(exist_ok=True)
        self.tokenizer.save(folder / FOLDER)
        weights = {TABLE: self.folded().contiguous()}
        safetensors.torch.save_file(weights, folder / FOLDER / "model.safetensors")
        write_layout(folder, [("StaticEmbedding", FOLDER), ("Normalize", "1_Normalize")])
        (folder / "1_Normalize").mkdir(exist_ok=True)
        write_json(folder / "1_Normalize" / "config.json", {})
        return {
            "dimension": self.dimension,
            "similarity": "dot",
            "score_scale": "unit",
            "score_multiplier": self.score_multiplier,
            "pooling": "weighted mean",
            "max_length": None,
            "casing": "lower" if self.tokenizer.lower_case else "kept",
            "passage_template": "title [SEP] text",
        }


class StaticEncoder:
    """Inference with the folded table, on the CPU.

    Args:
        table: the folded table.
        tokenizer: of the same checkpoint.
    """

    variant = VARIANT

    def __init__(self, table: Float32[np.ndarray, "vocabulary dimension"], tokenizer: Tokenizer):
        self.table = table
        self.tokenizer = tokenizer

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self.table.shape[1])

    def encode_questions(self, texts: Sequence[str]) -> Float32[np.ndarray, "texts dimension"]:
        """Encode questions."""
        ids, offsets = self.tokenizer.encode(texts)
        sums = bag_of_rows(self.table, ids, offsets)
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        sums /= np.maximum(norms, SMALLEST_NORM)
        return sums

    def encode_passages(
        self, titles: Sequence[str], texts: Sequence[str]
    ) -> Float32[np.ndarray, "texts dimension"]:
        """Encode passages as ``title [SEP] text``; a vector depends on its own passage alone."""
        joined = [
            f"{title} [SEP] {text}" if title else text
            for title, text in zip(titles, texts, strict=True)
        ]
        return self.encode_questions(joined)


def load(folder: Path, details: Mapping[str, Any], device: str = "cpu") -> StaticEncoder:
    """Load an exported checkpoint; inference always runs on the CPU, whatever ``device`` says."""
    tokenizer = load_tokenizer(folder / FOLDER)
    weights = load_weights(folder / FOLDER / "model.safetensors")
    shape = (tokenizer.vocabulary_size, int(details["dimension"]))
    check_weights({TABLE: shape}, weights, folder)
    return StaticEncoder(weights[TABLE].float().contiguous().numpy(), tokenizer)
