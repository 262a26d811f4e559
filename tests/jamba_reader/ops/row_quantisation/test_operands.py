"""A matrix as integers and scales."""

import torch

from jamba_reader.ops.row_quantisation.operands import LARGEST, QuantisedRows


def test_the_largest_integer_leaves_a_symmetric_range() -> None:
    """-128 is not used, so the negative of a quantised matrix is one too."""
    assert torch.iinfo(torch.int8).max == LARGEST
    assert torch.iinfo(torch.int8).min < -LARGEST


def test_values_come_before_scales() -> None:
    values, scale = QuantisedRows(torch.zeros(2, 3, dtype=torch.int8), torch.ones(2))
    assert values.dtype == torch.int8
    assert scale.shape == values.shape[:1]
