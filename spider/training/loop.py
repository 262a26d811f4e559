"""The training loop: updates on Accelerate, validation, checkpoints, and exact resume.

A run is a function of its settings. On a CPU, a resumed run gives the same bits of weights,
optimizer state and ``metrics.jsonl`` as an uninterrupted one. Batches and dropout depend only on
(seed, step), and nothing else is random.
"""

import logging
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from accelerate.utils import broadcast_object_list
from torch import nn

from spider.artifacts.atomic_files import write_json
from spider.errors import CheckpointError, InterruptedRunError, SpiderError
from spider.printable import counted
from spider.progress import Progress
from spider.reading import read_json
from spider.training.interruption import Interruption
from spider.training.metrics import MetricsLog, read_metrics
from spider.training.prefetch import prefetch
from spider.training.settings import USUAL_STEPS, TrainingSettings
from spider.training.step_budget import PROBES, steps_within
from spider.training.training_checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint
from spider.training.updates import Movable, Updates

logger = logging.getLogger(__name__)

CHECKPOINTS = "checkpoints"
PLAN = "plan.json"
TENSORBOARD = "tensorboard"
BEFORE_ALL = -1

_LARGE_SHARE = 0.01
"""A first validation that takes a larger share of the time budget is timed once more."""


class Outcome(NamedTuple):
    """The report of a finished run.

    Attributes:
        steps: number of updates done.
        validation: the numbers of the last validation.
    """

    steps: int
    validation: dict[str, float]


def train(
    objective: nn.Module,
    *,
    make_batch: Callable[[int], Movable],
    make_optimizer: Callable[[nn.Module], torch.optim.Optimizer],
    validate: Callable[[nn.Module], Mapping[str, float]],
    settings: TrainingSettings,
    folder: Path,
    most_steps: int | None = None,
    validations_after: int = 0,
    clock: Callable[[], float] = time.perf_counter,
) -> Outcome:
    """Train ``objective`` in place, from the newest checkpoint of ``folder`` if there is one.

    Validation, saving and loading are tried before the first update, so that an error in them does
    not appear only at the end of a long run.

    Args:
        objective: its forward pass takes a batch and returns a :class:`StepOutput`.
        make_batch: the batch of an update, numbered from 0; a pure function.
        make_optimizer: its groups' ``lr`` are the peaks of the schedule.
        validate: deterministic; called with the objective in evaluation mode, without gradients.
        settings: see :class:`TrainingSettings`.
        folder: holds ``metrics.jsonl`` and ``checkpoints/``; the caller removes the latter.
        most_steps: the largest number of updates that a time budget may give.
        validations_after: validations that the caller does after the run, within the time budget.
        clock: seconds; replaced in tests.

    Raises:
        InterruptedRunError: SIGTERM; the state is saved.
        KeyboardInterrupt: Ctrl-C; the state is saved.
        SpiderError: a loss is not finite.
    """
    run = TrainingRun(objective, make_batch, make_optimizer, validate, settings, folder, clock)
    run.most_steps = most_steps
    run.validations_after = validations_after
    with Interruption() as interruption:
        try:
            run.prepare()
            run.finish(interruption)
        finally:
            run.close()
    outcome = run.outcome()
    # the main process moves the folder after all processes have read it
    run.accelerator.wait_for_everyone()
    return outcome


class TrainingRun:
    """One call of :func:`train`, step by step."""

    def __init__(
        self,
        objective: nn.Module,
        make_batch: Callable[[int], Movable],
        make_optimizer: Callable[[nn.Module], torch.optim.Optimizer],
        validate: Callable[[nn.Module], Mapping[str, float]],
        settings: TrainingSettings,
        folder: Path,
        clock: Callable[[], float],
    ):
        self.settings = settings
        self.folder = folder
        self.clock = clock
        self.started = clock()
        self.make_batch = make_batch
        self.validate = validate
        self.objective = objective
        self.updates = Updates(objective, make_optimizer, settings)
        self.accelerator = self.updates.accelerator
        self.step = 0
        self.steps = USUAL_STEPS if settings.steps is None else settings.steps
        self.most_steps: int | None = None
        self.validations_after = 0
        self.window: dict[str, float] = {}
        self.log: MetricsLog | None = None

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints and of the plan."""
        return self.folder / CHECKPOINTS

    def prepare(self) -> None:
        """Resume, or try validation and saving before the first update; fix the step count."""
        newest = latest_checkpoint(self.checkpoints)
        if newest is not None and (self.checkpoints / PLAN).is_file():
            self._restore(newest)
            self.steps = int(read_json(self.checkpoints / PLAN)["steps"])
            self._open_log(self.step)
            logger.info("continuing from step %d of %d", self.step, self.steps)
            return
        # a run killed before its first checkpoint may have measured step 0
        self._open_log(BEFORE_ALL)
        before = self.clock()
        self._validate()
        validation_seconds = self.clock() - before
        before = self.clock()
        first = self._save()
        save_seconds = self.clock() - before
        if self.settings.minutes is not None:
            # the first call may include the compilation of kernels
            if validation_seconds > _LARGE_SHARE * 60.0 * self.settings.minutes:
                before = self.clock()
                self._evaluate()
                validation_seconds = min(validation_seconds, self.clock() - before)
            self.steps = self._pick_steps(validation_seconds, save_seconds)
        if self.accelerator.is_main_process:
            write_json(self.checkpoints / PLAN, {"steps": self.steps})
        self.accelerator.wait_for_everyone()
        self._restore(first)

    def finish(self, interruption: Interruption) -> None:
        """Do the remaining updates."""
        with Progress(total=self.steps, unit="steps", label="train") as progress:
            progress.resume_at(self.step)
            for batch in prefetch(self.make_batch, self.step, self.steps):
                loss = self._update(batch, self.step + 1)
                self.step += 1
                progress.advance(1, f"loss {loss:.3f}")
                self._after_update()
                self._stop_if_asked(interruption)

    def outcome(self) -> Outcome:
        """Return the report of the finished run."""
        last = [line for line in read_metrics(self.folder) if line["split"] == "validation"][-1]
        numbers = {name: value for name, value in last.items() if name not in ("step", "split")}
        return Outcome(self.step, numbers)

    def close(self) -> None:
        """Close the log."""
        if self.log is not None:
            self.log.close()

    def _update(self, batch: Movable, number: int) -> float:
        numbers = self.updates.update(batch, number, steps=self.steps)
        self._note(numbers)
        return numbers["loss"]

    def _note(self, values: Mapping[str, float]) -> None:
        for name, value in {**values, "updates": 1.0}.items():
            self.window[name] = self.window.get(name, 0.0) + value

    def _after_update(self) -> None:
        last = self.step == self.steps
        if self.step % self.settings.log_every == 0 or last:
            count = self.window.pop("updates")
            means = {name: total / count for name, total in self.window.items()}
            rate = self.updates.learning_rate
            self._write("train", {**means, "learning_rate": rate})
            self.window = {}
        if self.step % self.settings.validate_every == 0 or last:
            self._validate()
        if self.step % self.settings.save_every == 0 or last:
            self._save()

    def _stop_if_asked(self, interruption: Interruption) -> None:
        asked = torch.tensor([interruption.received or 0], device=self.accelerator.device)
        signal_number = int(self.accelerator.reduce(asked, reduction="sum").item())
        if not signal_number or self.step == self.steps:
            return
        self._save()
        done = f"training stopped at step {self.step} of {self.steps} and saved"
        if interruption.received is not None and interruption.received.name == "SIGINT":
            logger.warning("%s; run the same command again to continue", done)
            raise KeyboardInterrupt
        raise InterruptedRunError(f"{done}; run the same command again to continue")

    def _validate(self) -> None:
        if not self.accelerator.is_main_process:
            return
        numbers = self._evaluate()
        for name, value in numbers.items():
            if not math.isfinite(value):
                raise SpiderError(
                    f"training: the validation's {name} is {value} at step {self.step} of "
                    f"{self.steps}; {self.updates.fix}"
                )
        self._write("validation", numbers)
        shown = "  ".join(f"{name} {value:.4g}" for name, value in numbers.items())
        logger.info("step %d  validation  %s", self.step, shown)

    def _evaluate(self) -> dict[str, float]:
        self.objective.eval()
        with torch.no_grad():
            return {name: float(value) for name, value in self.validate(self.objective).items()}

    def _write(self, split: str, values: Mapping[str, float]) -> None:
        if self.log is not None:
            self.log.write(self.step, split, values)

    def _save(self) -> Path:
        path = self.checkpoints / f"step-{self.step:06d}"
        if self.accelerator.is_main_process:
            path = save_checkpoint(
                self.checkpoints,
                step=self.step,
                model=self.objective,
                optimizer=self.updates.optimizer,
                state={"window": self.window},
                keep=self.settings.keep,
            )
        self.accelerator.wait_for_everyone()
        return path

    def _restore(self, path: Path) -> None:
        checkpoint = load_checkpoint(path, device=self.accelerator.device)
        try:
            self.objective.load_state_dict(checkpoint.model)
            self.updates.optimizer.load_state_dict(checkpoint.optimizer)
        except (RuntimeError, ValueError) as error:
            raise CheckpointError(f"{path}: a checkpoint of another model: {error}") from error
        self.step = checkpoint.step
        self.window = dict(checkpoint.state["window"])

    def _open_log(self, resume_step: int) -> None:
        if self.accelerator.is_main_process:
            board = self.folder / TENSORBOARD
            self.log = MetricsLog(self.folder, resume_step=resume_step, tensorboard=board)

    def _pick_steps(self, validation_seconds: float, save_seconds: float) -> int:
        """Time a few updates, which :meth:`prepare` undoes, and return the step count."""
        self.steps = PROBES  # the schedule of the timed updates
        times = []
        for number, batch in enumerate(prefetch(self.make_batch, 0, PROBES)):
            before = self.clock()
            self._update(batch, number + 1)
            times.append(self.clock() - before)
        minutes = self.settings.minutes or 0.0
        steps = steps_within(
            minutes * 60.0
            - (self.clock() - self.started)
            - self.validations_after * validation_seconds,
            step_times=times,
            overheads=(
                (validation_seconds, self.settings.validate_every),
                (save_seconds, self.settings.save_every),
            ),
        )
        chosen = [steps if self.most_steps is None else min(steps, self.most_steps)]
        broadcast_object_list(chosen)
        logger.info(
            "minutes=%g: %s of %.3f s",
            minutes,
            counted(chosen[0], "step"),
            sorted(times)[PROBES // 2],
        )
        return chosen[0]
