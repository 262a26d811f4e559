"""Operands of a wrong dtype, device or shape are one line, whatever the operation."""

import inspect
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from jamba_reader.ops.linear.op import linear
from jamba_reader.ops.operand_checks import check_model_dtype, check_tokens
from spider.errors import ConfigError, DataError

SCRIPT = Path(__file__).with_name("wrong_operands.py")


@pytest.mark.slow
def test_no_operation_takes_a_wrong_operand() -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], env=environment, check=True, capture_output=True, text=True
    )
    assert not done.stdout


def test_autocast_may_mix_dtypes() -> None:
    x, weight = torch.randn(5, 512), torch.randn(300, 512)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert linear(x, weight.bfloat16()).dtype == torch.bfloat16
    with pytest.raises(DataError, match="weight is bfloat16, expected float32"):
        linear(x, weight.bfloat16())


def test_token_ids_are_one_dimension_of_integers() -> None:
    # without the check of annotations, which the tests alone have
    check, cpu = inspect.unwrap(check_tokens), torch.device("cpu")
    check(torch.tensor([1, 2], dtype=torch.int32), cpu)
    for tokens in (torch.tensor([1.0]), torch.tensor([[1]]), torch.tensor([True]), [1]):
        with pytest.raises(DataError, match="tokens are"):
            check(tokens, cpu)
    with pytest.raises(DataError, match="tokens are on meta, expected cpu"):
        check(torch.tensor([1], device="meta"), cpu)


@pytest.mark.parametrize("dtype", [torch.int8, torch.float8_e4m3fn, torch.complex64, "float32"])
def test_a_model_is_of_floating_point_numbers(dtype: Any) -> None:
    check = inspect.unwrap(check_model_dtype)
    check(torch.bfloat16)
    check(None)
    with pytest.raises(ConfigError, match="expected float32, bfloat16, float16 or float64"):
        check(dtype)
