"""Interpolation of weights between an encoder before and after its training.

Source: Wortsman et al. 2022, *Robust fine-tuning of zero-shot models*: a model between both keeps
what the start knew and has most of what training added.
"""

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor, nn

from pretrain.training.objective import ContrastiveObjective
from pretrain.training.validation import HeldoutValidation
from spider.artifacts.records.encoder import InterpolationRecord
from spider.encoders.trainable import TrainableEncoder

logger = logging.getLogger(__name__)

GRID = (0.0, 0.25, 0.5, 1.0)
"""The measured coefficients; the last one only for the record."""
LARGEST = 0.5
"""The largest coefficient that is chosen. Held-out queries show what training added, and hardly
what it lost; decision 22 has the figures."""
UNMEASURED = 0.5
"""The coefficient where no query is held out."""

Ranks = Int64[np.ndarray, " queries"]


class Interpolated(NamedTuple):
    """The chosen weights.

    Attributes:
        coefficient: 0 is the start, 1 what was trained.
        curve: mean reciprocal rank of the held-out queries at each measured coefficient.
    """

    coefficient: float
    curve: dict[str, float]


def frozen(start: TrainableEncoder) -> TrainableEncoder:
    """Return a start in evaluation mode, whose weights take no gradient."""
    _module(start).eval().requires_grad_(requires_grad=False)
    return start


def return_to_start(
    objective: ContrastiveObjective,
    start: TrainableEncoder,
    *,
    coefficient: float | None,
    validation: HeldoutValidation,
) -> dict[str, Any]:
    """Interpolate a trained encoder with its start, and return the facts for the record.

    Args:
        objective: has the trained encoder, which is changed in place.
        start: the encoder before training.
        coefficient: None chooses it by validation.
        validation: measures the objective's encoder.
    """
    objective.eval()
    weights = _module(start).state_dict()
    with torch.no_grad():
        found = interpolate(
            objective,
            {f"encoder.{name}": value for name, value in weights.items()},
            coefficient=coefficient,
            ranks=lambda: validation.ranks(objective),
        )
        measures = validation(objective)
    measured: Literal["validation", "default"] = "validation" if found.curve else "default"
    record = InterpolationRecord(
        coefficient=found.coefficient,
        chosen_by=measured if coefficient is None else "setting",
        mean_reciprocal_rank=found.curve,
    )
    return {"interpolation": record, "validation": measures}


def interpolate(
    module: nn.Module,
    start: Mapping[str, Tensor],
    *,
    coefficient: float | None,
    ranks: Callable[[], Ranks | None],
) -> Interpolated:
    """Give a module the weights between the start's and its own.

    Args:
        module: the trained module; changed in place.
        start: the weights before training.
        coefficient: None chooses it from ``GRID``, up to ``LARGEST``.
        ranks: of the module's present weights, the number of passages before each held-out query's
            best relevant one; None where no query is held out.
    """
    if coefficient is not None:
        _mix(module, start, _copy(module), coefficient)
        return Interpolated(coefficient, {})
    trained = _copy(module)
    found: dict[float, Ranks] = {}
    for candidate in reversed(GRID):
        _mix(module, start, trained, candidate)
        measured = ranks()
        if measured is None:
            _mix(module, start, trained, UNMEASURED)
            return Interpolated(UNMEASURED, {})
        found[candidate] = measured
    chosen = choose_coefficient({one: found[one] for one in GRID if one <= LARGEST})
    _mix(module, start, trained, chosen)
    curve = {f"{one:g}": float(np.mean(_gain(found[one]))) for one in GRID}
    shown = "  ".join(f"{one} {value:.4f}" for one, value in curve.items())
    logger.info("interpolation %g  mean reciprocal rank at  %s", chosen, shown)
    return Interpolated(chosen, curve)


def choose_coefficient(ranks: Mapping[float, Ranks]) -> float:
    """Return the smallest coefficient that is within one standard error of the best.

    The standard error is that of the paired difference in reciprocal rank, query by query. So the
    start is left as far as the held-out queries show a gain, and no further.

    Args:
        ranks: for each coefficient, how many passages stand before each query's best relevant one.
    """
    gains = {coefficient: _gain(ranks[coefficient]) for coefficient in sorted(ranks)}
    best = max(gains, key=lambda coefficient: (float(gains[coefficient].mean()), -coefficient))
    for coefficient, gain in gains.items():
        difference = gains[best] - gain
        error = (
            float(difference.std(ddof=1)) / math.sqrt(len(difference))
            if len(difference) > 1
            else 0.0
        )
        if float(difference.mean()) <= error:
            return coefficient
    return best


def _module(encoder: TrainableEncoder) -> nn.Module:
    if not isinstance(encoder, nn.Module):
        raise TypeError(f"got a {type(encoder).__name__}, expected a module of torch")
    return encoder


def _gain(ranks: Ranks) -> np.ndarray:
    return 1.0 / (1.0 + ranks)


def _copy(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


@torch.no_grad()
def _mix(
    module: nn.Module, start: Mapping[str, Tensor], trained: Mapping[str, Tensor], share: float
) -> None:
    """Write the weights in place; 0 and 1 give those of the start and of training exactly."""
    for name, value in module.state_dict().items():
        begin, end = start[name].to(value.device), trained[name]
        if share in (0.0, 1.0) or not value.is_floating_point():
            value.copy_(begin if share == 0.0 else end)
        else:
            value.copy_(torch.lerp(begin, end, share))
