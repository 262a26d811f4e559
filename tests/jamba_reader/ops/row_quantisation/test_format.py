"""ExpertsInt8: bounds, idempotence, guards (reference/jamba.md, section 3 and V6)."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.row_quantisation.op import quantise_rows
from jamba_reader.ops.row_quantisation.operands import QuantisedRows
from jamba_reader.ops.row_quantisation.reference import dequantise_rows
from spider.errors import CheckpointError

SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 65))


@given(SHAPES, st.integers(0, 99), st.sampled_from([1e-30, 1e-3, 1.0, 1e30]))
def test_no_weight_is_off_by_more_than_half_a_step(
    shape: tuple[int, int], seed: int, size: float
) -> None:
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * size
    values, scale = quantise_rows(weight)
    off = (weight.double() - values.double() * scale.double()[:, None]).abs()
    assert (off <= scale.double()[:, None] * (0.5 + 1e-5)).all()
    assert values.abs().amax(dim=1).eq(127).all()
    torch.testing.assert_close(scale, weight.abs().amax(dim=1) / 127, rtol=1e-6, atol=0)


@given(SHAPES, st.integers(0, 99))
def test_quantising_what_was_dequantised_changes_nothing(shape: tuple[int, int], seed: int) -> None:
    values, scale = quantise_rows(torch.randn(shape, generator=torch.Generator().manual_seed(seed)))
    again = quantise_rows(dequantise_rows(values, scale))
    assert torch.equal(again.values, values)
    torch.testing.assert_close(again.scale, scale, rtol=2e-7, atol=0)


def test_bfloat16_weights_are_quantised_in_float32() -> None:
    weight = torch.randn(5, 64).bfloat16()
    half, full = quantise_rows(weight), quantise_rows(weight.float())
    assert torch.equal(half.values, full.values)
    assert torch.equal(half.scale, full.scale)
    assert not torch.equal(half.scale, half.scale.bfloat16().float())


def test_integers_are_exact_in_bfloat16() -> None:
    values = torch.arange(-127, 128, dtype=torch.int8)
    assert torch.equal(values.bfloat16().to(torch.int32), values.to(torch.int32))


@pytest.mark.parametrize("size", [0.0, 1e-42])
def test_rows_of_nothing_become_zeros(size: float) -> None:
    weight = torch.stack([torch.full((8,), size), torch.ones(8)])
    values, scale = quantise_rows(weight)
    assert torch.equal(values[0], torch.zeros(8, dtype=torch.int8))
    assert scale.tolist() == [1.0, pytest.approx(1 / 127)]
    assert torch.equal(dequantise_rows(values, scale)[0], torch.zeros(8))


def test_a_matrix_without_columns_has_scales_all_the_same() -> None:
    assert quantise_rows(torch.empty(3, 0)).scale.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(bad: float) -> None:
    weight = torch.ones(3, 4)
    weight[1, 2] = bad
    with pytest.raises(CheckpointError, match="infinite or not a number"):
        quantise_rows(weight)


def test_one_expert_after_the_other_is_written_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jamba_reader.ops.row_quantisation.reference._BLOCK", 20)
    weight = torch.randn(3, 11, 8)
    values, scale = torch.zeros(3, 11, 8, dtype=torch.int8), torch.zeros(3, 11)
    for number, expert in enumerate(weight):
        quantise_rows(expert, out=QuantisedRows(values[number], scale[number]))
    monkeypatch.undo()
    whole = quantise_rows(weight.reshape(33, 8))
    assert torch.equal(values.reshape(33, 8), whole.values)
    assert torch.equal(scale.reshape(33), whole.scale)
    torch.testing.assert_close(dequantise_rows(values, scale), weight, atol=0.02, rtol=0)


@pytest.mark.parametrize("dense", [False, True])
def test_settings_go_through_config_json(dense: bool) -> None:
    settings = ExpertsInt8(dense=dense)
    mapping = settings.to_mapping()
    assert mapping == {"quant_method": "experts_int8", "dense": dense}
    assert ExpertsInt8.from_mapping(mapping) == settings


def test_other_quantisations_are_refused_by_name() -> None:
    with pytest.raises(CheckpointError, match=r"'gptq', expected 'experts_int8'"):
        ExpertsInt8.from_mapping({"quant_method": "gptq"})
    with pytest.raises(CheckpointError, match="expected true or false"):
        ExpertsInt8.from_mapping({"quant_method": "experts_int8", "dense": "yes"})
