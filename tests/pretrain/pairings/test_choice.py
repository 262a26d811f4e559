import pytest

from pretrain.pairings.choice import choose_pairings


@pytest.mark.parametrize(
    ("pairs", "dense", "names"),
    [
        (0, False, 3),
        (49, False, 3),
        (50, True, 3),
        (499, True, 3),
        (500, True, 1),
    ],
)
def test_bounds(pairs: int, dense: bool, names: int) -> None:
    choice = choose_pairings(pairs)
    assert (choice.dense, len(choice.weights)) == (dense, names)
    assert sum(choice.weights.values()) == pytest.approx(1.0)
    assert bool(choice.reason) == (pairs < 500)
    assert str(pairs) in choice.reason or pairs >= 500
