"""Part ``kernels``: every Triton kernel's values and gradients against float64 on the CPU.

Operands are rounded to the kernel's data type first, so the error is the kernel's own. New memory
is filled with NaN, so that an element that nobody wrote shows.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks.jamba_gpu.kernel_cases import Operands, Operation, cases
from benchmarks.jamba_gpu.run import Place, Results, error_by_norm

#: float32 products are never shortened to tf32, whose errors are near 3e-4
LIMITS = {torch.float32: 2e-5, torch.bfloat16: 3e-2, torch.float16: 4e-3}
#: kept in float32 whatever the activations are
WIDE = ("A", "initial_state")


def run(place: Place, results: Results) -> None:
    """Check each kernel in each data type."""
    torch.use_deterministic_algorithms(True, warn_only=True)  # fills new memory with NaN
    dtypes = place.choose((torch.float32, torch.bfloat16, torch.float16), (torch.float32,))
    for name, make in cases(place).items():
        for dtype in dtypes:
            short = str(dtype).removeprefix("torch.")
            results.step(f"{name} {short}", partial(_check, place, make, dtype))
    torch.use_deterministic_algorithms(False)


def _check(
    place: Place, make: Callable[[], tuple[Operands, Operation]], dtype: torch.dtype
) -> dict[str, Any]:
    operands, operation = make()
    rounded = {name: _as(name, value, dtype) for name, value in operands.items()}
    truth = _run({n: _widened(n, v) for n, v in rounded.items()}, operation, "reference")
    found = _run({n: v.to(place.device) for n, v in rounded.items()}, operation, place.kernels)
    errors = {name: error_by_norm(found[name], value) for name, value in truth.items()}
    passed = set(found) == set(truth) and max(errors.values()) < LIMITS[dtype]
    return {"errors": errors, "limit": LIMITS[dtype], "passed": passed}


def _as(name: str, value: Tensor, dtype: torch.dtype) -> Tensor:
    if not value.is_floating_point() or name.endswith("scale"):
        return value.float() if value.is_floating_point() else value
    return value.float() if name in WIDE else value.to(dtype)


def _widened(name: str, value: Tensor) -> Tensor:
    """Return a float operand in float64; scales are float32 in every operation."""
    wide = value.is_floating_point() and not name.endswith("scale")
    return value.double() if wide else value


def _run(operands: Operands, operation: Operation, kernels: Any) -> Operands:
    """Return outputs by number and gradients by name."""
    leaves = {
        name: value.clone().requires_grad_()
        if value.is_floating_point() and not name.endswith("scale")
        else value
        for name, value in operands.items()
    }
    with torch.enable_grad():
        outputs = operation(leaves, kernels)
        total = torch.zeros((), dtype=torch.float64, device=outputs[0].device)
        for number, output in enumerate(outputs):
            weights = torch.randn(
                output.shape, generator=torch.Generator().manual_seed(number), dtype=torch.float32
            )
            total = total + (output.double() * weights.to(output.device)).sum()
        if total.requires_grad:
            torch.autograd.backward(total)
    named = {f"output {number}": output.detach() for number, output in enumerate(outputs)}
    for name, leaf in leaves.items():
        if leaf.grad is not None:
            named[f"gradient of {name}"] = leaf.grad
    return named
