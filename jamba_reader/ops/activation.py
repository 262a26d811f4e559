"""The activations that a Jamba configuration can name, in torch and as numbers for kernels."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import gelu, silu

from spider.errors import ConfigError

ActivationName = Literal["silu", "gelu"]
"""``gelu`` is the exact one, ``x * Phi(x)`` with the error function, as transformers' ``gelu``."""

NONE, SILU, GELU = 0, 1, 2
"""Numbers that the kernels switch on."""

_CODES = {None: NONE, "silu": SILU, "gelu": GELU}


def activation_code(activation: ActivationName | None) -> int:
    """Return the number of an activation in kernels.

    Raises:
        ConfigError: no such activation.
    """
    code = _CODES.get(activation)
    if code is None:
        raise ConfigError(f"hidden_act={activation}: expected silu or gelu")
    return code


def activate(
    x: Float[Tensor, "*shape"], activation: ActivationName | None
) -> Float[Tensor, "*shape"]:
    """Apply an activation with torch, in the dtype of ``x``.

    Raises:
        ConfigError: no such activation.
    """
    code = activation_code(activation)
    if code == SILU:
        return silu(x)
    return gelu(x) if code == GELU else x


def computing_dtype(dtype: torch.dtype) -> torch.dtype:
    """Return the dtype of the references' computations: float64 for float64, else float32."""
    return torch.float64 if dtype == torch.float64 else torch.float32
