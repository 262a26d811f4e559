import pytest


@pytest.mark.parametrize(("planes", "bound"), [(2, 2e-5), (1, 2e-2)])
def test_a_block_is_the_formulas(planes, bound, random_weights, error):
    assert error(random_weights(layers=3), [5, 100, 1, 32], planes) < bound
