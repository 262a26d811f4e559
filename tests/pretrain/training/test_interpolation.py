import numpy as np
import pytest
import torch
from torch import nn

from pretrain.training.interpolation import choose_coefficient, interpolate


class Module(nn.Module):
    def __init__(self, value: float):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([value, 1.0]))
        self.register_buffer("count", torch.tensor(int(value)))


def gains(*columns: list[int]) -> dict[float, np.ndarray]:
    return {
        c: np.array(ranks) for c, ranks in zip((0.0, 0.25, 0.5, 0.75, 1.0), columns, strict=True)
    }


@pytest.mark.parametrize(
    ("coefficient", "weight"), [(0.0, 0.1), (0.25, 1.075), (0.5, 2.05), (1.0, 4.0)]
)
def test_weights_computed_by_hand(coefficient: float, weight: float) -> None:
    module = Module(4.0)
    found = interpolate(
        module,
        {"weight": torch.tensor([0.1, 1.0]), "count": torch.tensor(0)},
        coefficient=coefficient,
        ranks=lambda: None,
    )
    assert (found.coefficient, found.curve) == (coefficient, {})
    assert module.weight.tolist() == pytest.approx([weight, 1.0], rel=1e-6)


def test_the_ends_are_exact() -> None:
    start, trained = torch.tensor([1 / 3, 1e20]), torch.tensor([7.1, -1e-20])
    for coefficient, expected in ((0.0, start), (1.0, trained)):
        module = Module(0.0)
        module.weight.data = trained.clone()
        state = {"weight": start, "count": torch.tensor(0)}
        interpolate(module, state, coefficient=coefficient, ranks=lambda: None)
        assert torch.equal(module.weight, expected)


def test_the_queries_choose() -> None:
    module = Module(4.0)

    def ranks() -> np.ndarray:
        # the closer to 2, the better
        distance = abs(float(module.weight[0].detach()) - 2.0)
        return np.full(10, round(10 * distance))

    start = {"weight": torch.tensor([0.0, 1.0]), "count": torch.tensor(0)}
    found = interpolate(module, start, coefficient=None, ranks=ranks)
    assert found.coefficient == 0.5
    assert module.weight[0] == 2.0
    curve = {"0": 1 / 21, "0.25": 1 / 11, "0.5": 1, "1": 1 / 21}
    assert found.curve == pytest.approx(curve)


def test_what_was_trained_is_measured_and_not_chosen() -> None:
    module = Module(4.0)
    start = {"weight": torch.tensor([0.0, 1.0]), "count": torch.tensor(0)}
    found = interpolate(
        module,
        start,
        coefficient=None,
        ranks=lambda: np.full(10, round(4 - float(module.weight[0].detach()))),
    )
    assert (found.coefficient, found.curve["1"]) == (0.5, 1.0)


def test_without_queries_it_is_half_way() -> None:
    module = Module(4.0)
    start = {"weight": torch.tensor([0.0, 1.0]), "count": torch.tensor(0)}
    found = interpolate(module, start, coefficient=None, ranks=lambda: None)
    assert (found.coefficient, found.curve) == (0.5, {})
    assert module.weight[0] == 2.0


@pytest.mark.parametrize(
    ("ranks", "expected"),
    [
        # equal everywhere: the start is kept
        (gains([3, 4], [3, 4], [3, 4], [3, 4], [3, 4]), 0.0),
        # every step makes it worse
        (gains([0, 0], [1, 1], [2, 2], [3, 3], [4, 4]), 0.0),
        # every query gains with every step
        (gains([4, 4], [3, 3], [2, 2], [1, 1], [0, 0]), 1.0),
        # one query of four gains, one loses less: within the standard error of the start
        (gains([1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [0, 2, 0, 0]), 0.0),
        # most of the gain is there at a half
        (gains([9, 9], [5, 5], [0, 0], [0, 0], [0, 0]), 0.5),
        (gains([7], [7], [7], [0], [7]), 0.75),
    ],
)
def test_the_smallest_coefficient_within_one_standard_error(
    ranks: dict[float, np.ndarray], expected: float
) -> None:
    assert choose_coefficient(ranks) == expected
