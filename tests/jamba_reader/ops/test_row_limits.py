"""The limits in rows: one function each, and no fall where a limit is crossed by design."""

import pytest
import torch

from jamba_reader.ops import row_limits
from jamba_reader.ops.row_limits import product_rows, step_rows


def test_int8_weights_are_read_once_for_more_rows() -> None:
    assert product_rows(torch.int8) > product_rows(torch.float32) == product_rows(torch.bfloat16)


@pytest.mark.parametrize("hidden", [64, 512, 1024, 4096])
def test_a_step_is_one_call_for_as_many_rows_as_a_product(
    hidden: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tiles in (False, True):
        monkeypatch.setattr(row_limits, "_HAS_TILES", tiles)
        for dtype in (torch.float32, torch.bfloat16):
            assert step_rows(dtype, hidden) >= product_rows(dtype)
            assert step_rows(dtype, hidden) >= step_rows(dtype, 4096)
        # without tiles both dtypes are multiplied alike
        assert (step_rows(torch.bfloat16, hidden) == step_rows(torch.float32, hidden)) is not tiles


def test_small_models_step_in_one_call_up_to_64_sequences() -> None:
    assert step_rows(torch.float32, 512) == 64
