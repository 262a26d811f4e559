"""The references by hand."""

import pytest

from index.fusion.reference import reciprocal_rank_reference, weighted_sum_reference


def test_weighted_sum() -> None:
    rankings = {"dense": {7: 0.75, 3: 0.5}, "bm25": {3: 10.0, 4: 8.0}, "none": {}}
    fused = weighted_sum_reference(rankings, {"dense": 8.0, "bm25": 1.0, "none": 3.0})
    assert fused == [(3, 14.0), (7, 14.0), (4, 12.0)]


def test_reciprocal_rank() -> None:
    fused = reciprocal_rank_reference({"a": {4: 1.0, 2: 1.0}, "b": {4: 9.0}}, constant=1.0)
    assert [position for position, _ in fused] == [4, 2]
    assert [score for _, score in fused] == pytest.approx([1 / 3 + 1 / 2, 1 / 2])
