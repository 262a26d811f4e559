"""One update of a model: forward and backward pass, clipping, and the optimizer, on Accelerate."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor, nn

from spider.errors import SettingError, SpiderError
from spider.training.schedule import linear_factor, warmup_steps
from spider.training.settings import TrainingSettings


class StepOutput(NamedTuple):
    """The result of an objective's forward pass.

    Attributes:
        loss: a scalar.
        metrics: further scalars for the log.
    """

    loss: Tensor
    metrics: dict[str, Tensor]


@runtime_checkable
class Movable(Protocol):
    """A batch."""

    def to(self, device: torch.device) -> Any:
        """Return the batch on ``device``."""


class Updates:
    """Updates an objective; dropout depends on (seed, update, process) alone.

    Args:
        objective: its forward pass takes a batch and returns a :class:`StepOutput`.
        make_optimizer: its groups' ``lr`` are the peaks of the schedule.
        settings: device, precision, seed, warm-up and clipping.

    Attributes:
        optimizer: the optimizer, without Accelerate's wrapper.
    """

    def __init__(
        self,
        objective: nn.Module,
        make_optimizer: Callable[[nn.Module], torch.optim.Optimizer],
        settings: TrainingSettings,
    ):
        self.settings = settings
        # one process may train twice with two precisions, and Accelerate keeps the first
        AcceleratorState._reset_state()
        try:
            self.accelerator = Accelerator(
                cpu=settings.device == "cpu",
                mixed_precision="bf16" if settings.precision == "bf16" else "no",
            )
        except ValueError as error:
            raise SettingError("training.precision", settings.precision, f"no: {error}") from error
        objective.to(self.accelerator.device)
        self.optimizer = make_optimizer(objective)
        self._peaks = [float(group["lr"]) for group in self.optimizer.param_groups]
        self._model, self._wrapped = self.accelerator.prepare(objective, self.optimizer)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the first group at the last update."""
        return float(self.optimizer.param_groups[0]["lr"])

    @property
    def fix(self) -> str:
        """Advice against a loss that is not finite."""
        return (
            f"lower training.learning_rate (got {self._peaks[0]:g}) or raise "
            "training.warmup_share, and train again with overwrite=true"
        )

    def update(self, batch: Movable, number: int, *, steps: int) -> dict[str, float]:
        """Do one update.

        Args:
            batch: the batch.
            number: the number of the update, from 1 to ``steps``.
            steps: updates of the whole run.

        Returns:
            The loss and the objective's metrics, as means over processes.

        Raises:
            SpiderError: the loss is not finite.
        """
        warmup = warmup_steps(steps, self.settings.warmup_share)
        factor = linear_factor(number, steps=steps, warmup=warmup)
        for group, peak in zip(self.optimizer.param_groups, self._peaks, strict=True):
            group["lr"] = peak * factor
        self._model.train()
        device = self.accelerator.device
        devices = [device] if device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            # the randomness of dropout is a function of seed, update and process
            torch.manual_seed(_mix(self.settings.seed, number, self.accelerator.process_index))
            output: StepOutput = self._model(batch.to(device))
        numbers = self._over_processes({"loss": output.loss, **output.metrics})
        if not math.isfinite(numbers["loss"]):
            raise SpiderError(
                f"training: the loss is {numbers['loss']} at step {number} of {steps}; {self.fix}"
            )
        self.accelerator.backward(output.loss)
        if self.settings.clip_norm > 0:
            self.accelerator.clip_grad_norm_(self._model.parameters(), self.settings.clip_norm)
        self._wrapped.step()
        self._wrapped.zero_grad()
        return numbers

    def _over_processes(self, values: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the means over processes, so that every process sees a loss that is not finite."""
        stacked = torch.stack([value.detach().float() for value in values.values()])
        means: Tensor = self.accelerator.reduce(stacked, reduction="mean")
        return dict(zip(values, means.tolist(), strict=True))


def _mix(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
