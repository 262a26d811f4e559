"""Adaptation: training that starts from an encoder of texts and must not make it worse.

A few updates with a small rate, fewer with fewer pairs. After the last one, the weights are
interpolated between start and trained (:mod:`pretrain.training.interpolation`).
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

from spider.errors import SettingError
from spider.training.settings import TrainingSettings

BATCH_SIZE = 64
FEWEST_STEPS, MOST_STEPS = 10, 40
VALIDATION_PASSAGES = 1_000
"""A validation takes 7 s on two cores; five of them choose the interpolation."""


@dataclass(frozen=True, kw_only=True)
class AdaptationSettings:
    """What is particular to a start that is an encoder of texts already.

    Attributes:
        interpolation: the weights are start + this × (trained − start); null chooses 0, 0.25 or 0.5
            by validation, without labels. 0 keeps the start, 1 what was trained.
        replay: weight of a second loss, which keeps the similarities that the start gives to the
            texts of a batch; 0 has none.
        negatives: whether the updates use the negatives that pairings draw from a query's document;
            they double the passages of an update, and so its time.
        passage_length: passages are cut to this many tokens in the updates, though not in
            validation and search; null does not cut them.
    """

    interpolation: float | None = None
    replay: float = 0.0
    negatives: bool = False
    passage_length: int | None = 128

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.interpolation is not None and not 0.0 <= self.interpolation <= 1.0:
            raise SettingError("interpolation", self.interpolation, "0 to 1, or null")
        if not 0.0 <= self.replay < math.inf:
            raise SettingError("replay", self.replay, "0 or more")
        if self.passage_length is not None and self.passage_length < 8:
            raise SettingError("passage_length", self.passage_length, "at least 8, or null")

    def refuse_without_start(self, variant: str) -> None:
        """Refuse what only a start that is an encoder of texts can have.

        Args:
            variant: the architecture.

        Raises:
            SettingError: a setting is given that would have no effect.
        """
        without = f"architecture={variant} does not start from an encoder of texts"
        if self.interpolation is not None:
            raise SettingError("adaptation.interpolation", self.interpolation, f"null: {without}")
        if self.replay:
            raise SettingError("adaptation.replay", self.replay, f"0: {without}")


def adaptation_steps(pairs: int, batch_size: int) -> int:
    """Return the number of updates: about one pass over the pairs, between two bounds."""
    return min(max(pairs // batch_size, FEWEST_STEPS), MOST_STEPS)


def adapted_training(training: TrainingSettings, *, steps: int) -> TrainingSettings:
    """Complete what the person left open.

    Args:
        training: the configured settings.
        steps: what suits the pairs.
    """
    return replace(
        training,
        steps=steps if training.steps is None else training.steps,
        precision=_precision(training.device)
        if training.precision == "auto"
        else training.precision,
    )


def _precision(device: str) -> Literal["no", "bf16"]:
    """Return bf16 where the hardware has matrix products for it."""
    import torch

    if device != "cpu" and torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported() else "no"
    return "bf16" if torch.cpu._is_amx_tile_supported() else "no"
