import pytest


@pytest.mark.parametrize(("hidden", "inner"), [(16, 16), (48, 80), (64, 33), (96, 256)])
def test_widths_that_do_not_fill_tiles(hidden, inner, random_weights, error):
    assert error(random_weights(hidden=hidden, heads=2, inner=inner), [63, 2], 2) < 1e-5
