"""The module that ``static`` trains, and inference with its folded table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from jaxtyping import Float, Float32, Integer
from torch import Tensor, nn

from spider.artifacts.atomic_files import write_json
from spider.artifacts.records.encoder import EncoderRecord
from spider.encoders.layers.weighted_bag import bag_of_rows, weighted_bag
from spider.encoders.sentence_transformers_layout import write_layout
from spider.encoders.static import FOLDER, VARIANT, StaticSettings
from spider.encoders.weights import check_weights, load_weights
from spider.text.token_batch import TokenBatch
from spider.text.tokenizer import Tokenizer, load_tokenizer

TABLE = "embedding.weight"
SMALLEST_NORM = 1e-12
"""What torch's normalize and sentence-transformers divide by at least."""


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

    def export(self, folder: Path) -> EncoderRecord:
        """Write the folded table in sentence-transformers' layout."""
        (folder / FOLDER).mkdir(exist_ok=True)
        self.tokenizer.save(folder / FOLDER)
        weights = {TABLE: self.folded().contiguous()}
        safetensors.torch.save_file(weights, folder / FOLDER / "model.safetensors")
        write_layout(folder, [("StaticEmbedding", FOLDER), ("Normalize", "1_Normalize")])
        (folder / "1_Normalize").mkdir(exist_ok=True)
        write_json(folder / "1_Normalize" / "config.json", {})
        return EncoderRecord(
            dimension=self.dimension,
            similarity="dot",
            score_scale="unit",
            score_multiplier=self.score_multiplier,
            pooling="weighted mean",
            max_length=None,
            casing="lower" if self.tokenizer.lower_case else "kept",
            passage_template="title [SEP] text",
        )


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


def new_static(
    settings: StaticSettings,
    tokenizer: Tokenizer,
    *,
    seed: int,
    idf: Float[np.ndarray, " vocabulary"] | None,
) -> TrainableStatic:
    """Make a module to train; see :meth:`StaticSettings.build`."""
    generator = torch.Generator().manual_seed(seed)
    shape = (tokenizer.vocabulary_size, settings.dimension)
    vectors = torch.randn(shape, generator=generator) * settings.initial_scale
    weights = np.ones(shape[0]) if idf is None else np.maximum(idf, 0.05)
    log_weights = torch.from_numpy(np.log(weights).astype(np.float32))
    return TrainableStatic(vectors, log_weights, tokenizer, settings)


def load_static(folder: Path, dimension: int) -> StaticEncoder:
    """Load an exported checkpoint."""
    tokenizer = load_tokenizer(folder / FOLDER)
    weights = load_weights(folder / FOLDER / "model.safetensors")
    check_weights({TABLE: (tokenizer.vocabulary_size, dimension)}, weights, folder)
    return StaticEncoder(weights[TABLE].float().contiguous().numpy(), tokenizer)
