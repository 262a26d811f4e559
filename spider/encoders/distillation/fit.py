"""Fits a table to the teacher's vectors of one sample of passages."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor, nn

from spider.encoders.distillation.estimate import mean_cosine
from spider.encoders.distillation.loss import distillation_loss
from spider.encoders.table.model import TrainableStatic
from spider.text.token_batch import TokenBatch
from spider.text.tokenizer import Tokenizer, Tokens
from spider.training.loop import train
from spider.training.settings import TrainingSettings
from spider.training.updates import StepOutput

FREQUENCY = 1e-3
"""The weight of a piece is this / (this + its share of all pieces): 0.5 at a share of 0.001."""
RIDGE = 1.0
"""The penalty of the linear map, where each passage adds a row of length 1. With 10, the cosine on
held-out passages of 886 passages is 0.74 instead of 0.77."""


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """Settings of one fit.

    Attributes:
        steps: updates.
        learning_rate: peak rate of the vectors.
        weight_rate: peak rate of the logarithms of the weights.
        batch_size: passages of an update; fewer where the sample is smaller.
    """

    steps: int
    learning_rate: float
    weight_rate: float
    batch_size: int


class Targets(NamedTuple):
    """Passages with the teacher's vectors.

    Attributes:
        tokens: the pieces of the passages, as the table reads them.
        vectors: the teacher's unit vectors.
    """

    tokens: Tokens
    vectors: Float32[np.ndarray, "passages dimension"]


class FitBatch(NamedTuple):
    """A batch of passages."""

    tokens: TokenBatch
    vectors: Float32[Tensor, "passages dimension"]

    def to(self, device: torch.device) -> "FitBatch":
        """Return the batch on a device."""
        return FitBatch(self.tokens.to(device), self.vectors.to(device))


class DistillationObjective(nn.Module):
    """Compares the table's vectors with the teacher's.

    Args:
        table: the module that is fitted.
    """

    def __init__(self, table: TrainableStatic):
        super().__init__()
        self.table = table

    def forward(self, batch: FitBatch) -> StepOutput:
        """Return the loss and the mean cosine."""
        found = self.table.encode_tokens(batch.tokens, passages=True)
        loss, cosine = distillation_loss(found, batch.vectors)
        return StepOutput(loss, {"cosine": cosine.detach()})


def initial_table(
    pieces: Float32[np.ndarray, "vocabulary dimension"],
    tokenizer: Tokenizer,
    sample: Targets,
    *,
    score_multiplier: float,
) -> TrainableStatic:
    """Make the table that a fit begins with: mapped piece vectors, weights from frequencies.

    The vectors of pieces put alone are centred. One linear map of them, in closed form, brings
    their weighted sums nearest to the teacher's vectors of the sample. It changes the rows of
    pieces that the sample lacks too. MiniLM on 886 passages: the cosine on held-out passages after
    40 updates is 0.78 with the map and 0.49 without it.

    Args:
        pieces: the teacher's vector of each piece put alone.
        tokenizer: the teacher's.
        sample: the passages.
        score_multiplier: the record's; the fit does not use it.
    """
    counts = np.bincount(sample.tokens.ids, minlength=len(pieces))
    frequencies = counts / max(1, counts.sum())
    centred = pieces - pieces.mean(axis=0, dtype=np.float64).astype(np.float32)
    weights = np.log(FREQUENCY / (FREQUENCY + frequencies)).astype(np.float32)
    table = TrainableStatic(
        torch.from_numpy(centred),
        torch.from_numpy(weights),
        tokenizer,
        score_multiplier=score_multiplier,
    )
    mapped = centred @ linear_map(encode(table, sample.tokens), sample.vectors)
    with torch.no_grad():
        table.vectors.copy_(torch.from_numpy(mapped))
    return table


def linear_map(
    features: Float32[np.ndarray, "passages dimension"],
    targets: Float32[np.ndarray, "passages dimension"],
) -> Float32[np.ndarray, "dimension dimension"]:
    """Return the matrix M with the least ``|XM - T|^2 + RIDGE |M|^2``: ridge regression."""
    x, t = features.astype(np.float64), targets.astype(np.float64)
    squares = x.T @ x + RIDGE * np.eye(x.shape[1])
    return np.asarray(np.linalg.solve(squares, x.T @ t), dtype=np.float32)


def fit_table(
    table: TrainableStatic,
    sample: Targets,
    held_out: Targets,
    settings: FitSettings,
    *,
    seed: int,
    folder: Path,
) -> float:
    """Fit ``table`` in place, from the checkpoint in ``folder`` if there is one.

    Returns:
        The mean cosine on the held-out passages.
    """
    size = min(settings.batch_size, len(sample.vectors))
    targets = torch.from_numpy(sample.vectors)

    def make_batch(step: int) -> FitBatch:
        rows = batch_rows(step, passages=len(sample.vectors), size=size, seed=seed)
        return FitBatch(take(sample.tokens, rows), targets[torch.from_numpy(rows)])

    def make_optimizer(_: nn.Module) -> torch.optim.Optimizer:
        groups: list[dict[str, Any]] = [
            {"params": [table.vectors], "lr": settings.learning_rate},
            {"params": [table.log_weights], "lr": settings.weight_rate},
        ]
        return torch.optim.Adam(groups)

    def validate(_: nn.Module) -> dict[str, float]:
        return {"cosine": mean_cosine(encode(table, held_out.tokens), held_out.vectors)}

    outcome = train(
        DistillationObjective(table),
        make_batch=make_batch,
        make_optimizer=make_optimizer,
        validate=validate,
        settings=TrainingSettings(
            steps=settings.steps,
            learning_rate=settings.learning_rate,
            warmup_share=0.0,
            clip_norm=0.0,
            seed=seed,
            device="cpu",
            # a checkpoint holds three times the table, and a fit takes seconds
            save_every=max(1, settings.steps),
            validate_every=max(1, settings.steps),
        ),
        folder=folder,
    )
    return outcome.validation["cosine"]


def batch_rows(step: int, *, passages: int, size: int, seed: int) -> Int64[np.ndarray, " rows"]:
    """Return the passages of an update: every passage once before one comes again.

    A pure function of its arguments. The last passages of an order that do not fill a batch are
    left out; the next order is another one.
    """
    batches = passages // size
    order = np.random.default_rng([seed, step // batches]).permutation(passages)
    start = step % batches * size
    return order[start : start + size]


def take(tokens: Tokens, rows: Int64[np.ndarray, " rows"]) -> TokenBatch:
    """Return the tokens of some texts."""
    lengths = np.diff(tokens.offsets)[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    places = np.arange(offsets[-1]) + np.repeat(tokens.offsets[rows] - offsets[:-1], lengths)
    ids = tokens.ids[places].astype(np.int64)
    return TokenBatch(torch.from_numpy(ids), torch.from_numpy(offsets))


@torch.no_grad()
def encode(table: TrainableStatic, tokens: Tokens) -> Float32[np.ndarray, "texts dimension"]:
    """Return the table's unit vectors of all texts."""
    batch = take(tokens, np.arange(len(tokens.offsets) - 1))
    return np.asarray(table.encode_tokens(batch, passages=True).numpy())
