"""A run that takes milliseconds; also started as a child process, which kills itself."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from spider.training.loop import Outcome, train
from spider.training.settings import TrainingSettings
from spider.training.updates import StepOutput


class ToyBatch:
    def __init__(self, step: int):
        generator = torch.Generator().manual_seed(step)
        self.inputs = torch.randn(8, 4, generator=generator)

    def to(self, device: torch.device) -> "ToyBatch":
        return self


class ToyObjective(nn.Module):
    """Least squares with dropout, so that a resumed run needs the right chance too."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = nn.Parameter(torch.randn(4, generator=generator))
        self.dropout = nn.Dropout(0.25)

    def forward(self, batch: ToyBatch) -> StepOutput:
        error = self.dropout(batch.inputs) @ self.weight - batch.inputs.sum(dim=1)
        return StepOutput((error**2).mean(), {"error": error.abs().mean()})


def settings(**changes: object) -> TrainingSettings:
    defaults: dict[str, object] = {
        "steps": 11,
        "log_every": 3,
        "validate_every": 4,
        "save_every": 2,
        "device": "cpu",
    }
    return TrainingSettings(**(defaults | changes))  # type: ignore[arg-type]


def run(
    folder: Path,
    objective: nn.Module | None = None,
    *,
    make_batch: Callable[[int], ToyBatch] = ToyBatch,
    chosen: TrainingSettings | None = None,
    **options: object,
) -> tuple[nn.Module, Outcome]:
    objective = ToyObjective() if objective is None else objective
    outcome = train(
        objective,
        make_batch=make_batch,
        make_optimizer=lambda model: torch.optim.AdamW(model.parameters(), lr=0.1, fused=True),
        validate=lambda model: {"norm": float(sum(p.norm() for p in model.parameters()))},
        settings=settings() if chosen is None else chosen,
        folder=folder,
        **options,  # type: ignore[arg-type]
    )
    return objective, outcome


def killing_batch(step: int) -> ToyBatch:
    # the batch of step 9 is asked for two steps ahead of its use: after step 6's checkpoint
    if step == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return ToyBatch(step)


if __name__ == "__main__":
    run(Path(sys.argv[1]), make_batch=killing_batch)
