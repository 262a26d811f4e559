"""Single updates; tests/spider/training/test_loop.py covers whole runs."""

import pytest
import torch
from torch import nn

from spider.errors import SpiderError
from spider.training.settings import TrainingSettings
from spider.training.updates import Movable, StepOutput, Updates


class Batch:
    def __init__(self, values: list[float]):
        self.values = torch.tensor(values)

    def to(self, device: torch.device) -> "Batch":
        return self


class Linear(nn.Module):
    """The loss is weight · batch, whose gradient is the batch."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))
        self.dropout = nn.Dropout(dropout)

    def forward(self, batch: Batch) -> StepOutput:
        loss = (self.dropout(self.weight) * batch.values).sum()
        return StepOutput(loss, {"double": 2 * loss})


def updates(objective: nn.Module, *, seed: int = 0, clip_norm: float = 0.0) -> Updates:
    settings = TrainingSettings(
        steps=4, warmup_share=0.5, clip_norm=clip_norm, seed=seed, device="cpu"
    )
    return Updates(objective, lambda m: torch.optim.SGD(m.parameters(), lr=1.0), settings)


def test_rate_step_and_numbers_by_hand() -> None:
    objective = Linear()
    work = updates(objective)
    assert isinstance(Batch([]), Movable)
    # two of four updates warm up: the first one has half the peak rate
    assert work.update(Batch([0.5, 1.0]), 1, steps=4) == {"loss": 1.5, "double": 3.0}
    assert work.learning_rate == 0.5
    assert objective.weight.tolist() == [0.75, 0.5]
    work.update(Batch([0.25, 0.0]), 2, steps=4)
    assert (work.learning_rate, objective.weight.tolist()) == (1.0, [0.5, 0.5])


def test_long_gradients_are_shortened() -> None:
    objective = Linear()
    updates(objective, clip_norm=1.0).update(Batch([3.0, 4.0]), 2, steps=4)
    torch.testing.assert_close(objective.weight.detach(), torch.tensor([0.4, 0.2]))


def test_dropout_depends_on_seed_and_update_alone() -> None:
    def loss(seed: int, number: int) -> float:
        return updates(Linear(0.5), seed=seed).update(Batch([1.0, 10.0]), number, steps=50)["loss"]

    state = torch.random.get_rng_state()
    assert [loss(1, n) for n in range(1, 20)] == [loss(1, n) for n in range(1, 20)]
    assert len({loss(1, n) for n in range(1, 20)}) > 1
    assert [loss(1, n) for n in range(1, 20)] != [loss(2, n) for n in range(1, 20)]
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_loss_that_is_not_finite_stops_before_the_weights_change() -> None:
    objective = Linear()
    message = r"the loss is inf at step 3 of 4; lower training.learning_rate \(got 1\)"
    with pytest.raises(SpiderError, match=message):
        updates(objective).update(Batch([float("inf"), 0.0]), 3, steps=4)
    assert objective.weight.tolist() == [1.0, 1.0]
