"""Passages of all processes for the loss of each, with the whole gradient.

The released code exchanges detached copies, which scales the gradient by one over the number of
processes. Here the gather is differentiable: with the loss averaged over processes (as DDP averages
gradients), one, two or eight processes give the same loss and gradient.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, distributed


def processes() -> int:
    """Return the number of processes that train together."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_world_size()
    return 1


def gather_columns(
    columns: Float[Tensor, "columns dimension"], rows: int
) -> Float[Tensor, "all_columns dimension"]:
    """Return the columns of all processes: first all positives, then all negatives.

    Args:
        columns: this process's, ``rows`` positives and then perhaps ``rows`` negatives; every
            process has as many.
        rows: queries of this process.
    """
    world = processes()
    if world == 1:
        return columns
    gathered: Tensor = _Gather.apply(columns.contiguous())  # type: ignore[no-untyped-call]
    kinds = columns.shape[0] // rows
    dimension = columns.shape[1]
    return gathered.reshape(world, kinds, rows, dimension).transpose(0, 1).reshape(-1, dimension)


class _Gather(torch.autograd.Function):
    """Concatenate over processes; the gradient is summed over processes and sliced."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        parts = [torch.empty_like(values) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, values)
        return torch.cat(parts)

    @staticmethod
    def backward(context: Any, *gradients: Any) -> Any:
        total = gradients[0].contiguous()
        distributed.all_reduce(total)
        size = total.shape[0] // distributed.get_world_size()
        rank = distributed.get_rank()
        return total[rank * size : (rank + 1) * size]
