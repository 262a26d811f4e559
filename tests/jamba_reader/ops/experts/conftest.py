"""Experts to test with."""

from collections.abc import Callable

import pytest
import torch

from jamba_reader.ops.experts.operands import ExpertWeights
from jamba_reader.ops.row_quantisation.op import quantise_rows

MakeExperts = Callable[..., ExpertWeights]


def quantised(matrices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    values, scales = zip(*(quantise_rows(matrix.float()) for matrix in matrices), strict=True)
    return torch.stack(values), torch.stack(scales)


@pytest.fixture
def make_experts() -> MakeExperts:
    """Return ``make(experts, hidden, intermediate, dtype=float32, int8=False)``."""

    def make(
        experts: int,
        hidden: int,
        intermediate: int,
        dtype: torch.dtype = torch.float32,
        *,
        int8: bool = False,
    ) -> ExpertWeights:
        random = torch.Generator().manual_seed(experts * hidden + intermediate)
        gate_up = torch.randn(experts, 2 * intermediate, hidden, generator=random)
        down = torch.randn(experts, hidden, intermediate, generator=random)
        gate_up, down = gate_up / hidden**0.5, down / intermediate**0.5
        if not int8:
            return ExpertWeights(
                gate_up.to(dtype).requires_grad_(), down.to(dtype).requires_grad_()
            )
        (gate_up, gate_up_scale), (down, down_scale) = quantised(gate_up), quantised(down)
        return ExpertWeights(gate_up, down, gate_up_scale, down_scale)

    return make
