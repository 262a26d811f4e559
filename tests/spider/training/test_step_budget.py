import pytest

from spider.training.step_budget import steps_within


def test_budget_computed_by_hand() -> None:
    # 0.5 s a step, validation of 1 s every 10 steps, one more at the end: (61 - 1) / 0.6
    steps = steps_within(61.0, step_times=[9.0, 0.5, 0.4, 0.6], overheads=[(1.0, 10)])
    assert steps == 100


@pytest.mark.parametrize("seconds", [-5.0, 0.0, 0.1])
def test_a_budget_that_is_spent_still_gives_one_step(seconds: float) -> None:
    assert steps_within(seconds, step_times=[1.0]) == 1
