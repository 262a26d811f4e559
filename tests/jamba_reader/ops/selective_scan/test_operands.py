"""Operands of the selective scan: their checks, and the layout that kernels read."""

import pytest
import torch

from jamba_reader.ops.selective_scan.operands import (
    DTYPES,
    ScanGradients,
    ScanInputs,
    check_inputs,
    contiguous_rows,
    in_rows,
)
from spider.errors import DataError


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("x", r"x has shape \(4, 2\), expected \(4, 3\)"),
        ("B", r"B has shape \(4, 1\), expected \(4, 2\)"),
        ("dt_bias", r"dt_bias has shape \(2,\), expected \(3,\)"),
        ("initial_state", r"initial_state has shape \(2, 3, 2\), expected \(1, 3, 2\)"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(make_inputs, field, message):
    inputs = make_inputs((4,), 3, 2)
    tensor = getattr(inputs, field)
    wrong = torch.cat((tensor, tensor)) if field == "initial_state" else tensor[..., :-1]
    inputs = inputs._replace(**{field: wrong})
    with pytest.raises(DataError, match=message):
        check_inputs(inputs, 4, 1)


@pytest.mark.parametrize("field", ScanInputs._fields)
def test_each_operand_is_checked_and_named(make_inputs, field):
    inputs = make_inputs((3, 2), 4, 2)
    check_inputs(inputs, 5, 2)
    wrong = inputs._replace(**{field: torch.zeros(7, 4, 2) if field != "A" else inputs.A[:3]})
    with pytest.raises(DataError, match=r"for 5 tokens of 2 sequences"):
        check_inputs(wrong, 5, 2)


def test_a_gate_and_an_initial_state_may_be_absent(make_inputs):
    check_inputs(make_inputs((3,), 4, 2, gated=False, initial=False), 3, 1)


def test_more_tokens_or_sequences_than_there_are_rows_are_refused(make_inputs):
    inputs = make_inputs((3, 2), 4, 2)
    with pytest.raises(DataError, match=r"x has shape \(5, 4\), expected \(6, 4\)"):
        check_inputs(inputs, 6, 2)
    with pytest.raises(DataError, match=r"initial_state has shape \(2, 4, 2\)"):
        check_inputs(inputs, 5, 3)


def test_what_kernels_can_read_is_not_copied(make_inputs):
    inputs = make_inputs((3,), 4, 2)
    assert not inputs.x.is_contiguous()
    for given, laid in zip(inputs, in_rows(inputs), strict=True):
        assert laid.data_ptr() == given.data_ptr()
        assert laid.stride() == given.stride()
    assert in_rows(make_inputs((3,), 4, 2, gated=False, initial=False))[7:] == (None, None)


def test_what_kernels_cannot_read_is_copied(make_inputs):
    inputs = make_inputs((3,), 4, 2)
    turned = inputs._replace(
        x=inputs.x.t().contiguous().t(),
        A=inputs.A.double(),
        D=inputs.D.double(),
        initial_state=inputs.initial_state.transpose(1, 2).contiguous().transpose(1, 2),
    )
    laid = in_rows(turned)
    assert laid.x.stride(-1) == 1
    assert (laid.A.dtype, laid.D.dtype) == (torch.float32, torch.float32)
    assert laid.initial_state.is_contiguous()
    for name in ("x", "A", "D", "initial_state"):
        torch.testing.assert_close(getattr(laid, name), getattr(inputs, name))


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_keep_a_dtype_that_kernels_know(dtype):
    matrix = torch.ones(3, 4, dtype=dtype)
    assert contiguous_rows(matrix) is matrix
    assert contiguous_rows(matrix.double()).dtype == torch.float32


def test_gradients_have_the_inputs_names():
    """Autograd returns them by place."""
    assert ScanGradients._fields == ScanInputs._fields
