"""The settings of a training run, of any model."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from spider.errors import ConfigError

Precision = Literal["no", "bf16"]


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Settings of one run.

    Attributes:
        steps: updates; 0 trains nothing and leaves the weights as they were made.
        minutes: a time budget that picks the number of updates once, before the first; None leaves
            ``steps`` in force.
        warmup_share: share of the updates in which the learning rate rises.
        clip_norm: gradients longer than this are shortened to it; 0 leaves them.
        seed: all randomness is a function of it and of the step.
        log_every: updates between two lines of ``metrics.jsonl``.
        validate_every: updates between two validations; one more follows the last update.
        save_every: updates between two checkpoints.
        keep: checkpoints kept.
        precision: ``bf16`` runs the forward pass in bfloat16.
        device: ``auto``, ``cpu`` or ``cuda``.
    """

    steps: int
    minutes: float | None = None
    warmup_share: float = 0.01
    clip_norm: float = 2.0
    seed: int = 0
    log_every: int = 10
    validate_every: int = 250
    save_every: int = 250
    keep: int = 2
    precision: Precision = "no"
    device: str = "auto"

    def __post_init__(self) -> None:
        for name in ("log_every", "validate_every", "save_every", "keep"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)}: expected at least 1")
        for name in ("steps", "clip_norm", "seed"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"{name}={getattr(self, name)}: expected 0 or more")
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise ConfigError(f"minutes={self.minutes}: expected more than 0")
        if not 0.0 <= self.warmup_share < 1.0:
            raise ConfigError(
                f"warmup_share={self.warmup_share}: expected a share of the steps in [0, 1)"
            )
        if self.precision not in get_args(Precision):
            raise ConfigError(f"precision={self.precision}: expected one of {get_args(Precision)}")
        self._check_device()

    def _check_device(self) -> None:
        if self.device not in ("auto", "cpu", "cuda"):
            raise ConfigError(f"device={self.device}: expected auto, cpu or cuda")
        if self.device == "cuda" and not torch.cuda.is_available():
            raise ConfigError("device=cuda: no CUDA device is found; spider doctor says why")
