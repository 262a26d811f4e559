import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pretrain.losses.in_batch_nll import in_batch_nll

WORLD, ROWS, DIMENSION = 2, 3, 4

CHILD = """
import sys
import torch
from torch import distributed
from pretrain.training.distributed import gather_columns
from pretrain.losses.in_batch_nll import in_batch_nll

folder, rank = sys.argv[1], int(sys.argv[2])
distributed.init_process_group(
    "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
data = torch.load(f"{folder}/data.pt", weights_only=True)
rows = slice(3 * rank, 3 * rank + 3)
weight = data["weight"].clone().requires_grad_()
queries = data["queries"][rows] @ weight
own = torch.cat([data["positives"][rows], data["negatives"][rows]]) @ weight
columns = gather_columns(own, 3)
targets = torch.arange(3 * rank, 3 * rank + 3)
loss = in_batch_nll(queries, columns, targets, data["masked"][rows], multiplier=2.0).loss
loss.backward()
torch.save({"loss": loss.detach(), "gradient": weight.grad}, f"{folder}/{rank}.pt")
distributed.destroy_process_group()
"""


@pytest.mark.slow
def test_two_processes_equal_one_in_loss_and_gradient(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(0)

    def draw(rows: int) -> torch.Tensor:
        return torch.randn(rows, DIMENSION, generator=generator)

    total = WORLD * ROWS
    data = {name: draw(total) for name in ("queries", "positives", "negatives")}
    data["weight"] = draw(DIMENSION)
    masked = torch.rand(total, 2 * total, generator=generator) < 0.2
    masked[torch.arange(total), torch.arange(total)] = False
    data["masked"] = masked
    torch.save(data, tmp_path / "data.pt")
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, tmp_path, str(rank)],
            env={**os.environ, "PYTHONPATH": ".", "GLOO_SOCKET_IFNAME": "lo"},
        )
        for rank in range(WORLD)
    ]
    assert [child.wait(timeout=120) for child in children] == [0, 0]
    parts = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(WORLD)]

    weight = data["weight"].clone().requires_grad_()
    columns = torch.cat([data["positives"], data["negatives"]]) @ weight
    queries = data["queries"] @ weight
    one = in_batch_nll(queries, columns, torch.arange(total), masked, multiplier=2.0).loss
    one.backward()
    # DDP averages over processes
    torch.testing.assert_close(sum(part["loss"] for part in parts) / WORLD, one.detach())
    torch.testing.assert_close(sum(part["gradient"] for part in parts) / WORLD, weight.grad)
