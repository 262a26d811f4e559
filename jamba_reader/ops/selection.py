"""Which implementation of an operation runs: the device's, or the requested one."""

import logging
import os
from functools import cache
from typing import Literal

import torch

from spider.errors import ConfigError, MissingDependencyError

logger = logging.getLogger(__name__)

Implementation = Literal["auto", "reference", "cpu", "triton", "mamba_ssm"]
"""``auto`` takes ``cpu`` (numba) on a CPU and ``triton`` on CUDA; float64 takes ``reference``."""


def select(
    operation: str,
    requested: Implementation,
    *,
    device: torch.device,
    dtype: torch.dtype,
    available: tuple[str, ...] = ("reference", "cpu", "triton"),
) -> str:
    """Return the implementation to run.

    Args:
        operation: its name, for messages.
        requested: what the caller requests.
        device: where the operands are.
        dtype: the dtype of the operands; float64 has only the reference.
        available: implementations for these operands. Under ``auto``, the reference runs if the
            device's own are not among them.

    Raises:
        ConfigError: the request does not run on this device or with this operation.
        MissingDependencyError: Triton is asked for and not installed.
    """
    if dtype == torch.float64 and requested in ("auto", "reference"):
        return "reference"
    if requested == "auto":
        chosen = _automatic(device.type, available)
        _say_once(operation if chosen == "reference" else "Jamba", chosen, device.type)
        return chosen
    if requested not in available:
        raise ConfigError(f"kernels={requested}: {operation} has {', '.join(available)}")
    if requested == "cpu" and device.type != "cpu":
        raise ConfigError(f"kernels=cpu: the operands of {operation} are on {device.type}")
    if requested == "triton":
        _check_triton(operation, device.type)
    if requested == "mamba_ssm" and device.type != "cuda":
        raise ConfigError(f"kernels=mamba_ssm: {operation} needs CUDA, the operands are on a CPU")
    return requested


def compiled_for(*dtypes: torch.dtype) -> tuple[str, ...]:
    """Return the implementations that read all these dtypes; numba knows no float16."""
    if all(dtype in (torch.float32, torch.bfloat16) for dtype in dtypes):
        return ("reference", "cpu", "triton")
    return ("reference",) if torch.float64 in dtypes else ("reference", "triton")


def _automatic(device: str, available: tuple[str, ...]) -> str:
    wanted = {"cpu": ("cpu",), "cuda": ("mamba_ssm", "triton")}.get(device, ())
    for name in wanted:
        if name in available and (name != "triton" or triton_is_installed()):
            return name
    return "reference"


def _check_triton(operation: str, device: str) -> None:
    if not triton_is_installed():
        raise MissingDependencyError(
            f"kernels=triton: {operation} needs the package triton", extra="triton"
        )
    if device != "cuda" and not interpreting():
        raise ConfigError(
            f"kernels=triton: {operation} needs a GPU and the operands are on {device}; use "
            "kernels=auto, or set TRITON_INTERPRET=1 to run it slowly on a CPU"
        )


def interpreting() -> bool:
    """Return whether Triton interprets its kernels on the CPU."""
    return os.environ.get("TRITON_INTERPRET") == "1"


@cache
def triton_is_installed() -> bool:
    """Return whether Triton is installed, without importing it."""
    from importlib.util import find_spec

    return find_spec("triton") is not None


@cache
def _say_once(what: str, chosen: str, device: str) -> None:
    names = {"cpu": "numba", "triton": "Triton", "mamba_ssm": "mamba-ssm"}
    logger.info("%s on %s: %s kernels", what, device, names.get(chosen, chosen))
