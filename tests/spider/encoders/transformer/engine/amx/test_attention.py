import pytest


@pytest.mark.parametrize("distances", [False, True])
@pytest.mark.parametrize(("hidden", "heads"), [(32, 2), (64, 1), (128, 2), (48, 1)])
def test_heads_of_any_width(hidden, heads, distances, random_weights, error):
    weights = random_weights(hidden=hidden, heads=heads, distances=distances)
    assert error(weights, [1, 31, 32, 33, 64, 65, 128], 2) < 1e-5


def test_scores_far_apart_do_not_overflow(random_weights, error):
    # e to these scores is infinite in float32
    assert error(random_weights(scale=30.0), [50, 7], 2) < 1e-3
