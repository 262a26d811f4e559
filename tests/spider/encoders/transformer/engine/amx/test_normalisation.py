import dataclasses


def test_embeddings_are_summed_and_normalised(random_weights, error):
    assert error(random_weights(hidden=48, layers=0), [1, 40], 2) < 1e-6


def test_a_mean_far_from_zero_costs_no_digits(random_weights, error):
    weights = random_weights(hidden=48, layers=0)
    moved = dataclasses.replace(weights, words=weights.words + 100)
    assert error(moved, [40], 1) < 1e-5
