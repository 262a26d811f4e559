"""Operands of the selective scan: their checks, and the layout that kernels read."""

import pytest
import torch

from jamba_reader.ops.selective_scan.operands import check_inputs
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
