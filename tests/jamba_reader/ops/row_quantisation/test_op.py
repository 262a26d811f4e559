"""The fast rounding gives the reference's bytes, whatever the weights."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from jamba_reader.ops.row_quantisation import reference
from jamba_reader.ops.row_quantisation.op import MANY, quantise_rows
from jamba_reader.ops.row_quantisation.operands import QuantisedRows
from spider.errors import CheckpointError

DTYPES = [torch.float32, torch.bfloat16]


def assert_same(got: QuantisedRows, expected: QuantisedRows) -> None:
    assert torch.equal(got.values, expected.values)
    assert torch.equal(got.scale, expected.scale)


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_matrices(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(331, 400, generator=generator).to(dtype)
    weight[3] = 0
    weight[4] = 1e-42
    weight[5] *= 1e37
    # halves between two integers: the largest is 127, so the scale is one
    weight[6, :8] = torch.tensor([127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, -127])
    weight[6, 8:] = 0
    expected = reference.quantise_rows(weight)
    monkeypatch.setattr(reference, "quantise_rows", None)
    assert_same(quantise_rows(weight), expected)
    assert expected.values[6, :8].tolist() == [127, 0, 2, 2, 0, -2, -2, -127]


@given(seed=st.integers(0, 1000), power=st.integers(-40, 37), rows=st.integers(1, 5))
@settings(max_examples=10)
def test_any_magnitude(seed: int, power: int, rows: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    columns = MANY // rows + 1
    weight = torch.randn(rows, columns, generator=generator, dtype=torch.float64) * 10.0**power
    weight = weight.clamp(-3e38, 3e38).to(DTYPES[seed % 2])
    assert_same(quantise_rows(weight), reference.quantise_rows(weight))


def test_a_part_of_a_layer_is_written_in_place() -> None:
    generator = torch.Generator().manual_seed(0)
    wide = torch.randn(MANY // 256, 512, generator=generator)
    weight = wide[:, 100:356]
    values = torch.zeros(3, 2 * len(weight), 256, dtype=torch.int8)
    scale = torch.zeros(3, 2 * len(weight))
    part = slice(len(weight), None)
    quantise_rows(weight, out=QuantisedRows(values[1, part], scale[1, part]))
    assert_same(QuantisedRows(values[1, part], scale[1, part]), reference.quantise_rows(weight))
    assert not values[0].any()
    assert not values[1, : len(weight)].any()
    assert not scale[2].any()


@pytest.mark.parametrize("bad", [torch.inf, -torch.inf, torch.nan])
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_no_number_is_refused_as_by_the_reference(bad: float, dtype: torch.dtype) -> None:
    weight = torch.ones(300, 256, dtype=dtype)
    weight[299, 255] = bad
    with pytest.raises(CheckpointError, match="infinite or not a number"):
        quantise_rows(weight)


def test_other_types_take_the_reference() -> None:
    weight = torch.linspace(-1, 1, MANY, dtype=torch.float64).reshape(-1, 256)
    assert_same(quantise_rows(weight), reference.quantise_rows(weight))
