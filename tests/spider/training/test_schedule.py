import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spider.errors import ConfigError
from spider.training.schedule import linear_factor, warmup_steps


def test_factors_computed_by_hand() -> None:
    factors = [linear_factor(update, steps=6, warmup=2) for update in range(1, 7)]
    assert factors == [0.5, 1.0, 1.0, 0.75, 0.5, 0.25]


def test_without_warm_up_the_first_update_has_the_peak() -> None:
    assert [linear_factor(update, steps=2, warmup=0) for update in (1, 2)] == [1.0, 0.5]


@settings(deadline=None)
@given(st.integers(1, 500), st.floats(0.0, 0.99))
def test_every_update_counts_and_none_exceeds_the_peak(steps: int, share: float) -> None:
    warmup = warmup_steps(steps, share)
    factors = [linear_factor(update, steps=steps, warmup=warmup) for update in range(1, steps + 1)]
    assert all(0.0 < factor <= 1.0 for factor in factors)
    assert max(factors) == 1.0


def test_share_of_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="warmup_share"):
        warmup_steps(10, 1.0)
