"""The module that ``static`` trains: a table of vectors and a table of weights."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Integer
from torch import Tensor, nn

from spider.artifacts.records.encoder import EncoderRecord
from spider.encoders.layers.weighted_bag import weighted_bag
from spider.encoders.table.checkpoint import save_table
from spider.encoders.table.inference import SMALLEST_NORM
from spider.text.token_batch import TokenBatch
from spider.text.tokenizer import Tokenizer

SMALLEST_WEIGHT = 0.05
"""A token in every passage has an idf of 0, whose logarithm does not exist."""


class TrainableStatic(nn.Module):
    """A table of vectors and one of log weights.

    The exponential keeps weights positive, and a step of Adam changes a weight by a share of its
    value.

    Args:
        vectors: the initial table.
        log_weights: logarithms of the initial weights.
        tokenizer: saved with the checkpoint.
        score_multiplier: the training logits are this times the cosine.
    """

    def __init__(
        self,
        vectors: Float32[Tensor, "vocabulary dimension"],
        log_weights: Float32[Tensor, " vocabulary"],
        tokenizer: Tokenizer,
        *,
        score_multiplier: float,
    ):
        super().__init__()
        self.vectors = nn.Parameter(vectors)
        self.log_weights = nn.Parameter(log_weights)
        self.tokenizer = tokenizer
        self.dimension = vectors.shape[1]
        self.score_multiplier = score_multiplier

    def query_ids(self, ids: Integer[np.ndarray, " _"]) -> Integer[np.ndarray, " _"]:
        """Return the ids unchanged: no special tokens, no maximum."""
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
        """Encode texts; questions and passages are encoded the same."""
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
        """Write the folded table in the layout of sentence-transformers."""
        save_table(self.folded(), self.tokenizer, folder)
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


def initial_static(
    tokenizer: Tokenizer,
    *,
    dimension: int,
    scale: float,
    score_multiplier: float,
    seed: int,
    idf: Float[np.ndarray, " vocabulary"] | None,
) -> TrainableStatic:
    """Make a module with random vectors.

    Args:
        tokenizer: its vocabulary gives the number of rows.
        dimension: length of a vector.
        scale: standard deviation of the vectors' numbers.
        score_multiplier: the training logits are this times the cosine.
        seed: decides the vectors.
        idf: initial weights; None makes all of them one.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (tokenizer.vocabulary_size, dimension)
    vectors = torch.randn(shape, generator=generator) * scale
    weights = np.ones(shape[0]) if idf is None else np.maximum(idf, SMALLEST_WEIGHT)
    log_weights = torch.from_numpy(np.log(weights).astype(np.float32))
    return TrainableStatic(vectors, log_weights, tokenizer, score_multiplier=score_multiplier)
