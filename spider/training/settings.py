"""Settings of a training run, whatever is trained."""

import math
from dataclasses import dataclass
from typing import Literal

from spider.errors import SettingError
from spider.settings import Execution

USUAL_STEPS = 1_000
"""Updates where nothing else decides their number."""


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Settings of one run.

    Attributes:
        steps: updates; 0 writes the untrained weights, a baseline; null takes 1,000, or as many as
            suit the number of pairs where an encoder of sentences is adapted.
        minutes: a time budget that decides the number of updates once, before the first; with null,
            ``steps`` decides it.
        learning_rate: peak learning rate; null takes the one of the architecture.
        warmup_share: share of the updates in which the learning rate rises.
        clip_norm: longer gradients are shortened to this norm; 0 keeps them.
        seed: all randomness is a function of it and of the step.
        log_every: updates between two lines of ``metrics.jsonl``.
        validate_every: updates between two validations; one more follows the last update.
        save_every: updates between two checkpoints.
        keep: checkpoints kept while training.
        precision: bf16 computes the matrix products of the updates in bfloat16; weights and loss
            stay in float32. auto does so where an encoder of sentences is adapted, on a GPU or on a
            CPU with AMX.
        device: auto, cpu or cuda.
    """

    steps: int | None = None
    minutes: float | None = None
    learning_rate: float | None = None
    warmup_share: float = 0.01
    clip_norm: float = 2.0
    seed: int = 0
    log_every: int = 10
    validate_every: int = 250
    # with minutes, the time for saving changes the number of steps, but so does the clock
    save_every: Execution[int] = 250
    keep: Execution[int] = 2
    precision: Literal["auto", "no", "bf16"] = "auto"
    device: Execution[str] = "auto"

    def __post_init__(self) -> None:
        """Refuse values out of range, and a missing device."""
        for name in ("log_every", "validate_every", "save_every", "keep"):
            if getattr(self, name) < 1:
                raise SettingError(name, getattr(self, name), "at least 1")
        for name in ("steps", "learning_rate", "clip_norm", "seed"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                raise SettingError(name, value, "0 or more")
        check_minutes(self.minutes)
        if not 0.0 <= self.warmup_share < 1.0:
            raise SettingError("warmup_share", self.warmup_share, "a share of the steps in [0, 1)")
        if self.precision not in ("auto", "no", "bf16"):
            raise SettingError("precision", self.precision, "auto, no or bf16")
        self._check_device()

    @property
    def trains(self) -> bool:
        """Whether there is any update to make."""
        return self.steps != 0 or self.minutes is not None

    def _check_device(self) -> None:
        if self.device not in ("auto", "cpu", "cuda"):
            raise SettingError("device", self.device, "auto, cpu or cuda")
        if self.device == "cuda":
            # torch takes seconds to load, and `--help` does not need it
            import torch

            if not torch.cuda.is_available():
                raise SettingError(
                    "device", self.device, "auto or cpu: no CUDA device is found, see spider doctor"
                )


def check_minutes(minutes: float | None) -> None:
    """Refuse a time budget that is not above 0.

    Raises:
        SettingError: it is 0, negative or infinite.
    """
    if minutes is None:
        return
    if isinstance(minutes, bool) or not isinstance(minutes, int | float):
        raise SettingError("minutes", minutes, "a number of minutes")
    if not 0 < minutes < math.inf:
        raise SettingError("minutes", minutes, "more than 0")
