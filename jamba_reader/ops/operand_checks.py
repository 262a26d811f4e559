"""Refuses operands of a wrong dtype or device, which a kernel that reads by address cannot notice.

A kernel that takes float64 scales for float32, or an address on another device, reads beyond its
memory or ends the process.
"""

import torch
from torch import Tensor

from spider.errors import ConfigError, DataError

FLOATS = frozenset({torch.float32, torch.bfloat16, torch.float16, torch.float64})
"""The dtypes that an operation computes with."""

INTEGERS = frozenset({torch.int64, torch.int32})
"""The dtypes of token ids, expert ids and lengths."""


def check_model_dtype(dtype: torch.dtype | None) -> None:
    """Check the data type of a model; None is PyTorch's default.

    Raises:
        ConfigError: a model cannot have it.
    """
    if dtype is not None and dtype not in FLOATS:
        raise ConfigError(f"dtype={dtype}: expected float32, bfloat16, float16 or float64")


def check_tokens(tokens: Tensor, device: torch.device, *, name: str = "tokens") -> None:
    """Check token ids, or numbers of rows, before the model reads them.

    Raises:
        DataError: they are not one dimension of integers, or not where the model is.
    """
    if not isinstance(tokens, Tensor):
        raise DataError(f"{name} are a {type(tokens).__name__}, expected a tensor of int64")
    if tokens.dtype not in INTEGERS or tokens.ndim != 1:
        raise DataError(
            f"{name} are {tokens.dtype} of shape {tuple(tokens.shape)}, expected int64 in one "
            "dimension"
        )
    if tokens.device != device:
        raise DataError(f"{name} are on {tokens.device}, expected {device}, where the model is")


def casts(device: torch.device) -> bool:
    """Return whether autocast is on for a device, so that dtypes may differ."""
    return device.type != "meta" and torch.is_autocast_enabled(device.type)


def check_floats(operation: str, **operands: Tensor | None) -> None:
    """Check that operands are floating-point numbers on the device of the first one.

    Args:
        operation: its name, for messages.
        operands: the operands by their names; None where one is absent.

    Raises:
        DataError: an operand has another dtype, or is on another device.
    """
    device = None
    for name, tensor in operands.items():
        if tensor is None:
            continue
        if tensor.dtype not in FLOATS:
            raise _wrong_dtype(operation, name, tensor, "float32, bfloat16, float16 or float64")
        device = tensor.device if device is None else device
        if tensor.device != device:
            raise _wrong_device(operation, name, tensor, device)


def check_alike(operation: str, **operands: Tensor | None) -> None:
    """Check that operands are floating-point numbers of the first one's dtype and device.

    Under autocast their dtypes may differ: PyTorch casts them.

    Args:
        operation: its name, for messages.
        operands: the operands by their names, the first one present; None where one is absent.

    Raises:
        DataError: an operand has another dtype, or is on another device.
    """
    check_floats(operation, **operands)
    first, *others = operands
    like = operands[first]
    for name in others:
        tensor = operands[name]
        if tensor is None or like is None or tensor.dtype == like.dtype:
            continue
        if not casts(tensor.device):
            raise _wrong_dtype(operation, name, tensor, f"{like.dtype}, that of {first}")


def check_dtype(
    operation: str, name: str, tensor: Tensor, *expected: torch.dtype, device: torch.device
) -> None:
    """Check the dtype and the device of one operand.

    Args:
        operation: its name, for messages.
        name: the operand's name.
        tensor: the operand.
        *expected: the dtypes that it may have.
        device: where it has to be.

    Raises:
        DataError: it has another dtype, or is on another device.
    """
    if tensor.dtype not in expected:
        words = " or ".join(str(dtype).removeprefix("torch.") for dtype in expected)
        raise _wrong_dtype(operation, name, tensor, words)
    if tensor.device != device:
        raise _wrong_device(operation, name, tensor, device)


def _wrong_dtype(operation: str, name: str, tensor: Tensor, expected: str) -> DataError:
    return DataError(
        f"{operation}: {name} is {str(tensor.dtype).removeprefix('torch.')}, expected "
        f"{expected.removeprefix('torch.')}; convert it with {name}.to(dtype)"
    )


def _wrong_device(operation: str, name: str, tensor: Tensor, device: torch.device) -> DataError:
    return DataError(
        f"{operation}: {name} is on {tensor.device}, expected {device}, where its other operands "
        "are"
    )
