"""What every fusion promises. A new fusion adds one entry to ``FUSIONS``."""

import json
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.fusion.contract import Fusion, check_depths, load_fusion
from index.fusion.reciprocal_rank import ReciprocalRank
from index.fusion.weighted_sum import WeightedSum
from spider.errors import ArtifactError, ConfigError
from spider.launch.verbs import options
from spider.ranking import NO_PASSAGE, pad_hits

DEPTHS = {"dense": 7, "bm25": 5, "titles": 3}
FUSIONS = [
    WeightedSum(weights={"dense": 1.5, "bm25": 1.0, "titles": 0.5}, depths=DEPTHS),
    ReciprocalRank(depths=DEPTHS),
]
EVERY = pytest.mark.parametrize("fusion", FUSIONS, ids=lambda fusion: fusion.variant)

Scores = dict[int, float]
# quarters are exact in float32, so ties are real ties; a small range makes many of them
scores_of_one = st.dictionaries(
    st.integers(0, 20), st.integers(-40, 40).map(lambda value: value / 4), max_size=8
)
cases = st.lists(st.tuples(scores_of_one, scores_of_one, scores_of_one), min_size=1, max_size=3)


def test_every_fusion_is_here() -> None:
    assert {fusion.variant for fusion in FUSIONS} == set(options("fusion"))


@pytest.fixture(scope="session")
def rankings(to_hits: Any) -> Any:
    """Return a function: one (dense, bm25, titles) of each question → rankings by name."""

    def make(lists: list[tuple[Scores, ...]]) -> dict[str, Any]:
        return {n: to_hits([q[i] for q in lists]) for i, n in enumerate(DEPTHS)}

    return make


@EVERY
def test_settings_make_the_same_fusion_again(fusion: Fusion) -> None:
    stored = json.loads(json.dumps(fusion.settings()))
    again = load_fusion(stored)
    assert isinstance(again, Fusion)
    assert again.settings() == fusion.settings()
    assert type(again) is type(fusion)
    assert stored["variant"] == fusion.variant
    assert dict(again.depths) == DEPTHS


@EVERY
@given(lists=cases, depth=st.integers(1, 30))
@settings(max_examples=60)
def test_the_union_is_ranked_and_shares_are_parts_of_one(
    fusion: Fusion, rankings: Any, lists: list[tuple[Scores, ...]], depth: int
) -> None:
    fused = fusion.fuse(rankings(lists), depth)
    assert fused.hits.positions.shape == (len(lists), depth)
    assert set(fused.shares) == set(DEPTHS)
    for row, scores in enumerate(lists):
        union = {position for own in scores for position in own}
        listed = [p for p in fused.hits.positions[row].tolist() if p != NO_PASSAGE]
        assert len(listed) == len(set(listed)) == min(depth, len(union))
        assert set(listed) <= union
        pairs = list(zip(-fused.hits.scores[row], fused.hits.positions[row], strict=True))
        assert pairs[: len(listed)] == sorted(pairs[: len(listed)])
        assert np.isneginf(fused.hits.scores[row, len(listed) :]).all()
    total = sum(fused.shares.values())
    present = fused.hits.positions != NO_PASSAGE
    np.testing.assert_allclose(total, present.astype(np.float32), atol=1e-6)
    assert all((share >= 0).all() for share in fused.shares.values())


@EVERY
@given(lists=cases, seed=st.integers(0, 1000))
@settings(max_examples=40)
def test_neither_the_order_in_a_list_nor_that_of_the_rankings_matters(
    fusion: Fusion, rankings: Any, lists: list[tuple[Scores, ...]], seed: int
) -> None:
    given_rankings = rankings(lists)
    shuffled = {}
    for place, name in reversed(list(enumerate(DEPTHS))):
        rows = []
        for scores in lists:
            items = list(scores[place].items())
            random.Random(seed).shuffle(items)  # noqa: S311
            positions = np.array([p for p, _ in items], dtype=np.int64)
            rows.append((positions, np.array([s for _, s in items], dtype=np.float32)))
        shuffled[name] = pad_hits(rows, 12)
    one, two = fusion.fuse(given_rankings, 20), fusion.fuse(shuffled, 20)
    assert one.hits.positions.tolist() == two.hits.positions.tolist()
    assert one.hits.scores.tolist() == two.hits.scores.tolist()
    for name in DEPTHS:
        assert one.shares[name].tolist() == two.shares[name].tolist()


@EVERY
@given(lists=cases)
@settings(max_examples=40)
def test_a_deeper_list_only_adds(
    fusion: Fusion, rankings: Any, lists: list[tuple[Scores, ...]]
) -> None:
    short, long = (fusion.fuse(rankings(lists), depth).hits for depth in (3, 25))
    assert short.positions.tolist() == long.positions[:, :3].tolist()


@EVERY
def test_no_question_and_no_passage(fusion: Fusion, to_hits: Any) -> None:
    nothing = {name: to_hits([{}, {}]) for name in DEPTHS}
    assert (fusion.fuse(nothing, 4).hits.positions == NO_PASSAGE).all()
    no_columns = {name: to_hits([{}], depth=0) for name in DEPTHS}
    assert (fusion.fuse(no_columns, 4).hits.positions == NO_PASSAGE).all()
    nobody = {name: to_hits([], depth=3) for name in DEPTHS}
    assert fusion.fuse(nobody, 4).hits.positions.shape == (0, 4)


@EVERY
def test_rankings_that_are_not_the_fusions_are_refused(fusion: Fusion, to_hits: Any) -> None:
    with pytest.raises(ConfigError, match=r"joins .*'titles'.* got \['bm25', 'dense'\]"):
        fusion.fuse({"dense": to_hits([{}]), "bm25": to_hits([{}])}, 3)
    uneven = {name: to_hits([{}] * (1 + (name == "bm25"))) for name in DEPTHS}
    with pytest.raises(ConfigError, match="different numbers of questions"):
        fusion.fuse(uneven, 3)


def test_depths_are_checked() -> None:
    check_depths({"dense": 1})
    for wrong in ({}, {"dense": 0}, {"dense": 5, "bm25": -1}):
        with pytest.raises(ConfigError, match="setting depths"):
            check_depths(wrong)


@pytest.mark.parametrize(
    "stored",
    [
        {"variant": "weighted_sum", "weight": 4.0, "dense_depth": 1000, "sparse_depth": 1000},
        {"variant": "weighted_sum", "weights": {"dense": "much"}, "depths": {"dense": 5}},
        {"variant": "reciprocal_rank", "constant": 60.0, "depths": 5},
        {"variant": "average"},
        {},
    ],
)
def test_settings_of_another_version_are_refused_in_one_line(stored: dict[str, Any]) -> None:
    with pytest.raises(ArtifactError) as refused:
        load_fusion(stored)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 5
