import numpy as np

from spider.encoders.distillation.unit_rows import unit_rows


def test_rows_get_length_one_and_zeros_stay() -> None:
    rows = np.array([[3.0, 4.0], [0.0, 0.0], [0.0, -2.0]], np.float32)
    expected = np.array([[0.6, 0.8], [0.0, 0.0], [0.0, -1.0]], np.float32)
    np.testing.assert_allclose(unit_rows(rows), expected, atol=1e-7)
    assert unit_rows(np.zeros((0, 4), np.float32)).shape == (0, 4)
