"""Rounding to int8 in torch: by hand, in blocks, and back."""

import numpy as np
import pytest
import torch

from jamba_reader.ops.row_quantisation import reference
from jamba_reader.ops.row_quantisation.operands import QuantisedRows
from jamba_reader.ops.row_quantisation.reference import dequantise_rows, quantise_rows
from spider.errors import CheckpointError


def test_rows_by_hand() -> None:
    # the largest magnitudes are 127, so the scales are 1 and 1/2; halves go to the even integer
    weight = torch.tensor([[127.0, 0.5, 1.5, -2.5], [-63.5, 1.0, 0.2, 0.0]])
    values, scale = quantise_rows(weight)
    assert values.tolist() == [[127, 0, 2, -2], [-127, 2, 0, 0]]
    assert scale.tolist() == [1.0, 0.5]
    assert dequantise_rows(values, scale).tolist() == [[127.0, 0.0, 2.0, -2.0], [-63.5, 1, 0, 0]]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_it_is_numpys_rounding(dtype: torch.dtype) -> None:
    draw = torch.Generator().manual_seed(0)
    weight = torch.randn((9, 33), generator=draw).to(dtype)
    wide = weight.to(torch.float32).numpy()
    scale = np.abs(wide).max(1) / np.float32(127)
    values = np.clip(np.rint(wide / scale[:, None]), -127, 127)
    found = quantise_rows(weight)
    np.testing.assert_array_equal(found.values.numpy(), values)
    np.testing.assert_array_equal(found.scale.numpy(), scale)


@pytest.mark.parametrize("block", [1, 40, 100, 10_000])
def test_blocks_of_rows_change_nothing(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    weight = torch.randn((11, 20), generator=torch.Generator().manual_seed(0))
    expected = quantise_rows(weight)
    monkeypatch.setattr(reference, "_BLOCK", block)
    found = quantise_rows(weight)
    assert torch.equal(found.values, expected.values)
    assert torch.equal(found.scale, expected.scale)


def test_the_weight_is_not_changed_and_the_target_is_written() -> None:
    weight = torch.randn((3, 5), generator=torch.Generator().manual_seed(0))
    before = weight.clone()
    out = QuantisedRows(torch.zeros(3, 5, dtype=torch.int8), torch.zeros(3))
    assert quantise_rows(weight, out=out) is out
    assert torch.equal(weight, before)
    assert out.values.abs().amax(1).tolist() == [127] * 3


def test_the_message_names_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "_BLOCK", 10)
    weight = torch.ones(7, 5)
    weight[4, 1] = torch.inf
    with pytest.raises(CheckpointError, match="rows 4 to 5 of a 7 x 5 matrix"):
        quantise_rows(weight)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_stacks_of_matrices_are_widened_and_rounded_once(dtype: torch.dtype) -> None:
    values = torch.randint(-127, 128, (2, 3, 4), dtype=torch.int8)
    scale = torch.rand((2, 3)) + 0.1
    found = dequantise_rows(values, scale, dtype=dtype)
    expected = np.einsum("eri,er->eri", values.numpy().astype(np.float32), scale.numpy())
    assert found.dtype == dtype
    assert torch.equal(found, torch.from_numpy(expected).to(dtype))
