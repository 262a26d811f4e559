"""The activations that a configuration can name."""

import math

import pytest
import torch
from transformers.activations import ACT2FN

from jamba_reader.ops.activation import (
    GELU,
    NONE,
    SILU,
    activate,
    activation_code,
    computing_dtype,
)
from jamba_reader.ops.machine import triton_math
from spider.errors import ConfigError


def test_values_by_hand() -> None:
    x = torch.tensor([-2.0, 0.0, 1.0], dtype=torch.float64)
    assert torch.equal(activate(x, None), x)
    silu = [value / (1 + math.exp(-value)) for value in x.tolist()]
    assert activate(x, "silu").tolist() == pytest.approx(silu, rel=1e-15)
    gelu = [value * (1 + math.erf(value / math.sqrt(2))) / 2 for value in x.tolist()]
    assert activate(x, "gelu").tolist() == pytest.approx(gelu, rel=1e-15)


@pytest.mark.parametrize("name", ["silu", "gelu"])
def test_names_mean_what_they_mean_in_transformers(name: str) -> None:
    x = torch.linspace(-9, 9, 301)
    assert torch.equal(activate(x, name), ACT2FN[name](x))


def test_kernels_know_the_same_numbers() -> None:
    codes = [activation_code(name) for name in (None, "silu", "gelu")]
    assert codes == [NONE, SILU, GELU] == [0, 1, 2]
    assert (triton_math.SILU.value, triton_math.GELU.value) == (SILU, GELU)


def test_another_name_is_refused() -> None:
    # past the annotations, which the tests check first
    with pytest.raises(ConfigError, match="hidden_act=relu: expected silu or gelu"):
        activation_code.__wrapped__("relu")


@pytest.mark.parametrize(
    ("dtype", "wide"),
    [
        (torch.float64, torch.float64),
        (torch.float32, torch.float32),
        (torch.bfloat16, torch.float32),
        (torch.float16, torch.float32),
    ],
)
def test_what_the_references_compute_in(dtype: torch.dtype, wide: torch.dtype) -> None:
    assert computing_dtype(dtype) == wide
