"""Drawing a negative: uniform over the candidates that are no positive."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pretrain.pairings.pairing import NO_NEGATIVE, other_passage


@given(st.integers(0, 20), st.integers(0, 8), st.sets(st.integers(0, 30)), st.integers(0, 99))
def test_the_passage_is_a_candidate_that_is_not_excluded(
    start: int, length: int, excluded: set[int], seed: int
) -> None:
    candidates = range(start, start + length)
    without = np.array(sorted(excluded), dtype=np.int64)
    found = other_passage(candidates, without, np.random.default_rng(seed))
    free = set(candidates) - excluded
    assert found in free if free else found == NO_NEGATIVE


def test_every_free_passage_is_drawn_equally_often() -> None:
    rng = np.random.default_rng(0)
    without = np.array([4, 6, 7, 99])
    drawn = Counter(other_passage(range(3, 9), without, rng) for _ in range(3000))
    assert set(drawn) == {3, 5, 8}
    # 1,000 each; 150 is more than five standard deviations
    assert all(abs(times - 1000) < 150 for times in drawn.values())
