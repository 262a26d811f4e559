"""Operands for the scan and what they should give."""

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from jamba_reader.ops.selective_scan.operands import ScanInputs

MakeInputs = Callable[..., ScanInputs]


@pytest.fixture
def make_inputs() -> MakeInputs:
    """Random operands; x and gate are halves of one matrix, B and C columns of another."""

    def make(
        lengths: Sequence[int],
        channels: int,
        states: int,
        *,
        dtype: torch.dtype = torch.float32,
        gated: bool = True,
        initial: bool = True,
        seed: int = 0,
    ) -> ScanInputs:
        source = torch.Generator().manual_seed(seed)

        def normal(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=source).to(dtype)

        tokens = sum(lengths)
        both = normal(tokens, 2 * channels)
        projected = normal(tokens, 3 + 2 * states)
        rates = -torch.rand(channels, states, generator=source) * 4 - 0.01
        state = torch.randn(len(lengths), channels, states, generator=source)
        return ScanInputs(
            both[:, :channels],
            normal(tokens, channels) - 1,
            rates.double() if dtype == torch.float64 else rates,
            projected[:, 3 : 3 + states],
            projected[:, 3 + states :],
            normal(channels),
            normal(channels),
            both[:, channels:] if gated else None,
            (state.double() if dtype == torch.float64 else state) if initial else None,
        )

    return make


def as_float64(inputs: ScanInputs) -> ScanInputs:
    """The same numbers, so that the reference computes them in float64."""
    return ScanInputs(*(None if tensor is None else tensor.double() for tensor in inputs))


@pytest.fixture
def in_float64() -> Callable[[ScanInputs], ScanInputs]:
    """Operands widened for the reference."""
    return as_float64
