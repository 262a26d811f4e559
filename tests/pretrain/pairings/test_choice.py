import pytest

from pretrain.pairings.choice import choose_pairings


@pytest.mark.parametrize(("pairs", "names"), [(0, 3), (49, 3), (50, 3), (499, 3), (500, 1)])
def test_bounds(pairs: int, names: int) -> None:
    choice = choose_pairings(pairs)
    assert len(choice.weights) == names
    assert sum(choice.weights.values()) == pytest.approx(1.0)
    assert bool(choice.reason) == (pairs < 500)
    assert str(pairs) in choice.reason or pairs >= 500


def test_the_reason_says_what_training_does() -> None:
    for pairs in (0, 49, 50, 499):
        assert "crop and title pairs are added" in choose_pairings(pairs).reason
    assert "may rank worse than BM25" in choose_pairings(49).reason
    assert "BM25" not in choose_pairings(50).reason
