import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.errors import ConfigError
from spider.questions.transforms.prefix import Prefix
from spider.questions.transforms.query_ranges import QueryTransform

RNG = np.random.default_rng(0)


def test_nearest_units_before_the_first_occurrence():
    result = Prefix(minimum=2, maximum=4).ranges(20, [(6, 8), (12, 14)], 1, RNG)
    assert result.ranges == ((2, 6),)
    assert not result.kept_span


def test_short_prefix_is_followed_by_what_is_behind():
    assert Prefix(minimum=3, maximum=4).ranges(20, [(2, 4)], 0, RNG).ranges == ((0, 2), (4, 7))
    assert Prefix(minimum=3, maximum=4).ranges(5, [(0, 4)], 0, RNG).ranges == ((4, 5),)


def test_passage_of_nothing_but_the_span_is_kept():
    result = Prefix().ranges(3, [(0, 3)], 0, RNG)
    assert result.ranges == ((0, 3),)
    assert result.kept_span


@given(st.integers(1, 40), st.data())
def test_never_empty_and_never_the_first_occurrence(length, data):
    start = data.draw(st.integers(0, length - 1))
    end = data.draw(st.integers(start + 1, length))
    result = Prefix().ranges(length, [(start, end)], 0, RNG)
    units = result.take(range(length))
    assert units
    assert result.kept_span == (start == 0 and end == length)
    assert result.kept_span or not set(units) & set(range(start, end))


def test_settings_are_checked():
    with pytest.raises(ConfigError, match=r"minimum: got .* expected 1 to maximum"):
        Prefix(minimum=0)
    assert isinstance(Prefix(), QueryTransform)
