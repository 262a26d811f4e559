"""Both fusions: by hand, against their readable references, and as laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.fusion.fusion import Fused, Fusion, load_fusion
from index.fusion.reciprocal_rank import ReciprocalRank, reciprocal_rank
from index.fusion.reference import reciprocal_rank_reference, weighted_sum_reference
from index.fusion.weighted_sum import WeightedSum, weighted_sum
from spider.errors import ArtifactError, ConfigError
from spider.ranking import NO_PASSAGE, Hits, pad_hits, sort_hits

Scores = dict[int, float]
# quarters are exact in float32, so ties are real ties; a small range makes many of them
scores_of_one = st.dictionaries(
    st.integers(0, 30), st.integers(-40, 40).map(lambda value: value / 4), max_size=12
)
questions = st.lists(st.tuples(scores_of_one, scores_of_one), min_size=1, max_size=4)


def to_hits(lists: list[Scores], depth: int = 12) -> Hits:
    rows = [
        (np.array(list(scores), dtype=np.int64), np.array(list(scores.values()), dtype=np.float32))
        for scores in lists
    ]
    return sort_hits(pad_hits(rows, depth))


def rows_of(fused: Fused) -> list[list[tuple[int, float]]]:
    return [
        [(p, s) for p, s in zip(positions, scores, strict=True) if p != NO_PASSAGE]
        for positions, scores in zip(
            fused.hits.positions.tolist(), fused.hits.scores.tolist(), strict=True
        )
    ]


def test_weighted_sum_by_hand() -> None:
    dense = to_hits([{7: 0.75, 3: 0.5, 9: 0.25}])
    sparse = to_hits([{3: 10.0, 4: 8.0}])
    fused = weighted_sum(dense, sparse, weight=8.0, depth=5)
    # 7: 8·0.75 + 8 (missing from BM25) = 14; 3: 4 + 10 = 14; 4: 8·0.25 (missing) + 8 = 10; 9: 2 + 8
    assert rows_of(fused) == [[(3, 14.0), (7, 14.0), (4, 10.0), (9, 10.0)]]
    # above the floors 2 and 8: 3 has 2 and 2, 7 has 4 and 0; 4 and 9 stand on both floors
    assert fused.dense_share.tolist() == [[0.5, 1.0, 0.5, 0.5, 0.0]]
    assert fused.hits.positions.shape == (1, 5)


def test_a_list_that_is_empty_adds_nothing() -> None:
    dense, nothing = to_hits([{7: -0.75, 3: -0.5}]), to_hits([{}])
    assert rows_of(weighted_sum(dense, nothing, weight=2.0, depth=3)) == [[(3, -1.0), (7, -1.5)]]
    assert rows_of(weighted_sum(nothing, dense, weight=2.0, depth=3)) == [[(3, -0.5), (7, -0.75)]]
    assert rows_of(weighted_sum(nothing, nothing, weight=2.0, depth=3)) == [[]]
    assert rows_of(reciprocal_rank(nothing, nothing, constant=60.0, depth=3)) == [[]]
    no_columns = Hits(np.empty((1, 0), np.int64), np.empty((1, 0), np.float32))
    assert rows_of(weighted_sum(no_columns, no_columns, weight=2.0, depth=3)) == [[]]


def test_reciprocal_rank_by_hand() -> None:
    fused = reciprocal_rank(
        to_hits([{1: 0.5, 2: 0.25}]), to_hits([{2: 9.0, 5: 8.0, 6: 1.0}]), constant=60.0, depth=9
    )
    positions = [position for position, _ in rows_of(fused)[0]]
    assert positions == [2, 1, 5, 6]
    np.testing.assert_allclose(
        fused.hits.scores[0, :4], [1 / 62 + 1 / 61, 1 / 61, 1 / 62, 1 / 63], rtol=1e-6
    )
    np.testing.assert_allclose(
        fused.dense_share[0, :4], [(1 / 62) / (1 / 62 + 1 / 61), 1, 0, 0], rtol=1e-6
    )


@given(questions, st.sampled_from([0.0, 0.5, 1.0, 4.0]), st.integers(1, 30))
@settings(max_examples=150, deadline=None)
def test_weighted_sum_equals_its_reference(
    lists: list[tuple[Scores, Scores]], weight: float, depth: int
) -> None:
    dense, sparse = (to_hits([pair[side] for pair in lists]) for side in (0, 1))
    got = rows_of(weighted_sum(dense, sparse, weight=weight, depth=depth))
    assert got == [weighted_sum_reference(*pair, weight=weight)[:depth] for pair in lists]


@given(questions)
@settings(max_examples=100, deadline=None)
def test_reciprocal_rank_equals_its_reference(lists: list[tuple[Scores, Scores]]) -> None:
    dense, sparse = (to_hits([pair[side] for pair in lists]) for side in (0, 1))
    for got, pair in zip(
        rows_of(reciprocal_rank(dense, sparse, constant=60.0, depth=24)), lists, strict=True
    ):
        expected = reciprocal_rank_reference(*pair, constant=60.0)
        assert {p for p, _ in got} == {p for p, _ in expected}
        np.testing.assert_allclose([s for _, s in got], [s for _, s in expected], rtol=1e-6)


@given(scores_of_one, scores_of_one, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_in_which_a_list_comes_does_not_matter(
    dense: Scores, sparse: Scores, random: object
) -> None:
    shuffled = list(dense.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    row = (
        np.array([p for p, _ in shuffled], dtype=np.int64),
        np.array([s for _, s in shuffled], dtype=np.float32),
    )
    ordered, unordered = to_hits([dense]), pad_hits([row], 12)
    bm25 = to_hits([sparse])
    for fusion in (WeightedSum(weight=1.5), ReciprocalRank()):
        one, two = fusion.fuse(ordered, bm25, 20), fusion.fuse(unordered, bm25, 20)
        assert rows_of(one) == rows_of(two)
        assert one.dense_share.tolist() == two.dense_share.tolist()


@given(scores_of_one, scores_of_one)
@settings(max_examples=60, deadline=None)
def test_weight_zero_keeps_the_order_of_bm25(dense: Scores, sparse: Scores) -> None:
    fused = rows_of(weighted_sum(to_hits([dense]), to_hits([sparse]), weight=0.0, depth=24))[0]
    ranking = [p for p, _ in fused if p in sparse]
    assert ranking == sorted(sparse, key=lambda p: (-sparse[p], p))
    above = [p for p in ranking if sparse[p] > min(sparse.values())]
    assert [p for p, _ in fused][: len(above)] == above


@given(questions)
@settings(max_examples=60, deadline=None)
def test_shares_lie_between_zero_and_one_and_follow_the_lists(
    lists: list[tuple[Scores, Scores]],
) -> None:
    dense, sparse = (to_hits([pair[side] for pair in lists]) for side in (0, 1))
    fused = weighted_sum(dense, sparse, weight=3.0, depth=24)
    assert ((fused.dense_share >= 0) & (fused.dense_share <= 1)).all()
    for row, (dense_scores, sparse_scores) in enumerate(lists):
        for position, share in zip(
            fused.hits.positions[row].tolist(), fused.dense_share[row].tolist(), strict=True
        ):
            if position in dense_scores and position not in sparse_scores:
                assert share >= 0.5
            if position in sparse_scores and position not in dense_scores:
                assert share <= 0.5


@pytest.mark.parametrize("fusion", [WeightedSum(weight=2.5, dense_depth=7), ReciprocalRank()])
def test_settings_make_the_same_fusion_again(fusion: Fusion) -> None:
    again = load_fusion(fusion.settings())
    assert again.settings() == fusion.settings()
    assert type(again) is type(fusion)


def test_refusals() -> None:
    with pytest.raises(ConfigError, match="weight -1"):
        WeightedSum(weight=-1.0)
    with pytest.raises(ConfigError, match="dense_depth=0"):
        ReciprocalRank(dense_depth=0)
    with pytest.raises(ConfigError, match="constant"):
        ReciprocalRank(constant=-1.0)
    with pytest.raises(ConfigError, match="no weight"):
        WeightedSum().fuse(to_hits([{}]), to_hits([{}]), 3)
    with pytest.raises(ConfigError, match="1 and 2 questions"):
        weighted_sum(to_hits([{}]), to_hits([{}, {}]), weight=1.0, depth=3)
    with pytest.raises(ArtifactError, match="no fusion variant"):
        load_fusion({"variant": "average"})
    assert WeightedSum().needs_weight
    assert not WeightedSum().with_weight(2.0).needs_weight
    assert not ReciprocalRank().with_weight(2.0).needs_weight
