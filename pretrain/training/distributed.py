"""Training in several processes: one of them writes, and each loss uses the passages of all.

``torchrun --nproc-per-node=8 -m pretrain.verbs.train …`` starts one process for each GPU. The main
process holds the stage, tokenises, validates, saves and exports. The others wait for its files, and
compute their share of each batch.

The released code exchanges detached copies, which scales the gradient by one over the number of
processes. Here the gather is differentiable: with the loss averaged over processes (as DDP averages
gradients), one, two or eight processes give the same loss and gradient.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from jaxtyping import Float
from torch import Tensor, distributed

from spider.artifacts.folder.manifest import sibling
from spider.artifacts.stage import Stage

PATIENCE = timedelta(days=7)
"""Longest wait for the main process, which tokenises first; if it dies, the launcher ends the
others."""


def processes() -> int:
    """Return the number of processes that train together."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_world_size()
    return 1


def is_main() -> bool:
    """Return whether this is the process that writes."""
    return processes() == 1 or distributed.get_rank() == 0


@contextmanager
def joint_stage(stage: Stage, *, device: str) -> Iterator[Path]:
    """Share the stage's folder: the main process writes, and all continue when it is complete.

    Args:
        stage: the stage; only the main process calls its ``finish``.
        device: "auto", "cpu" or "cuda"; decides how the processes communicate.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        PartialState(cpu=device == "cpu" or not torch.cuda.is_available(), timeout=PATIENCE)
    if is_main():
        with stage.writing() as folder:
            yield folder
    else:
        logging.disable(logging.WARNING)
        yield sibling(stage.output, "partial")
    if processes() > 1:
        distributed.barrier()
        distributed.destroy_process_group()


@contextmanager
def main_first() -> Iterator[None]:
    """Run the block in the main process first; the others then find its results."""
    if not is_main():
        distributed.barrier()
    yield
    if is_main() and processes() > 1:
        distributed.barrier()


def gather_columns(
    columns: Float[Tensor, "columns dimension"], rows: int
) -> Float[Tensor, "all_columns dimension"]:
    """Return the columns of all processes: first all positives, then all negatives.

    Args:
        columns: this process's, ``rows`` positives and then perhaps ``rows`` negatives; the numbers
            are the same in every process.
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
    def forward(ctx: Any, values: Tensor) -> Tensor:
        parts = [torch.empty_like(values) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, values)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        total = gradients[0].contiguous()
        distributed.all_reduce(total)
        size = total.shape[0] // distributed.get_world_size()
        rank = distributed.get_rank()
        return total[rank * size : (rank + 1) * size]
