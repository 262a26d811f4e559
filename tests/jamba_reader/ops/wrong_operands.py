"""Gives every operation wrong operands, and prints a line for each that is not refused.

A process of its own, because the annotations that tests check would refuse most of them first.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from jamba_reader.ops.attention.op import attention, decode_attention
from jamba_reader.ops.causal_conv1d.op import causal_conv1d
from jamba_reader.ops.experts.op import int8_linear, routed_experts
from jamba_reader.ops.experts.operands import ExpertWeights
from jamba_reader.ops.gated_activation.op import gated_activation
from jamba_reader.ops.linear.op import linear
from jamba_reader.ops.rms_norm.op import add_rms_norm, rms_norm
from jamba_reader.ops.row_quantisation.op import quantise_rows
from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.op import selective_scan
from spider.errors import DataError, SpiderError

SEGMENTS = Segments([3, 0, 2])
IDS = torch.tensor([[0, 1], [2, 3], [1, 0], [3, 1], [0, 2]])
ALL = (
    torch.float32, torch.bfloat16, torch.float16, torch.float64, torch.int8, torch.int32,
    torch.int64, torch.bool, torch.complex64,
)  # fmt: skip


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def integers(*shape: int) -> Tensor:
    source = torch.Generator().manual_seed(0)
    return torch.randint(-127, 128, shape, dtype=torch.int8, generator=source)


def experts(**o: Tensor) -> Tensor:
    weights = ExpertWeights(o["gate_up"], o["down"], o.get("gate_up_scale"), o.get("down_scale"))
    return routed_experts(o["x"], weights, o["ids"], o["shares"], activation="silu")


OPERATIONS: dict[str, tuple[Callable[..., Any], dict[str, Tensor]]] = {
    "linear": (linear, {"x": normal(5, 512), "weight": normal(300, 512), "bias": normal(300)}),
    "attention": (
        lambda **o: attention(**o, segments=SEGMENTS, scale=0.2),
        {"query": normal(5, 4, 16), "key": normal(5, 2, 16), "value": normal(5, 2, 16)},
    ),
    "decode_attention": (
        lambda **o: decode_attention(**o, scale=0.2),
        {
            "query": normal(3, 4, 16),
            "keys": normal(3, 2, 9, 16),
            "values": normal(3, 2, 9, 16),
            "lengths": torch.tensor([3, 9, 1]),
        },
    ),
    "experts": (
        experts,
        {
            "x": normal(5, 32),
            "gate_up": normal(4, 48, 32),
            "down": normal(4, 32, 24),
            "ids": IDS,
            "shares": normal(5, 2),
        },
    ),
    "int8_experts": (
        experts,
        {
            "x": normal(5, 32),
            "gate_up": integers(4, 48, 32),
            "down": integers(4, 32, 24),
            "gate_up_scale": normal(4, 48) / 100,
            "down_scale": normal(4, 32) / 100,
            "ids": IDS,
            "shares": normal(5, 2),
        },
    ),
    "int8_linear": (
        int8_linear,
        {"x": normal(5, 32), "weight": integers(48, 32), "scale": normal(48) / 100},
    ),
    "causal_conv1d": (
        lambda **o: causal_conv1d(**o, segments=SEGMENTS, activation="silu")[0],
        {"x": normal(5, 8), "weight": normal(8, 4), "bias": normal(8), "history": normal(3, 3, 8)},
    ),
    "selective_scan": (
        lambda **o: selective_scan(**o, segments=SEGMENTS).y,
        {
            "x": normal(5, 8),
            "dt": normal(5, 8),
            "A": -normal(8, 4).abs(),
            "B": normal(5, 4),
            "C": normal(5, 4),
            "D": normal(8),
            "dt_bias": normal(8),
            "gate": normal(5, 8),
            "initial_state": normal(3, 8, 4),
        },
    ),
    "rms_norm": (lambda **o: rms_norm(**o, eps=1e-6), {"x": normal(5, 8), "weight": normal(8)}),
    "add_rms_norm": (
        lambda **o: add_rms_norm(**o, eps=1e-6)[0],
        {"x": normal(5, 8), "residual": normal(5, 8), "weight": normal(8)},
    ),
    "gated_activation": (
        lambda **o: gated_activation(**o, activation="silu"),
        {"gate_up": normal(5, 8)},
    ),
    "quantise_rows": (lambda **o: quantise_rows(**o).scale, {"weight": normal(300, 300)}),
}


SHAPES: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("int8_linear", "weight", (48, 33)),
    ("int8_linear", "scale", (40,)),
    ("int8_experts", "gate_up", (4, 40, 32)),
    ("int8_experts", "gate_up_scale", (4, 40)),
    ("int8_experts", "down_scale", (3, 32)),
    ("int8_experts", "shares", (5, 1)),
    ("experts", "x", (5, 31)),
    ("experts", "ids", (4, 2)),
)
"""Shapes of operands that a kernel would read beyond."""


def of_other_dtypes(name: str) -> Iterator[str]:
    """An operand of another dtype is refused, or computed as the same number."""
    operation, operands = OPERATIONS[name]
    expected = operation(**operands).double()
    for operand, dtype in ((o, d) for o in operands for d in ALL if d != operands[o].dtype):
        given = {**operands, operand: operands[operand].to(dtype)}
        try:
            found = operation(**given).double()
        except SpiderError as error:
            if "\n" in str(error):
                yield f"{name}: {operand} of {dtype}: several lines"
            continue
        except Exception as error:
            yield f"{name}: {operand} of {dtype}: {type(error).__name__}"
            continue
        gap = float((found - expected).abs().max() / expected.abs().max())
        if dtype.is_floating_point != operands[operand].is_floating_point() or not gap < 0.1:
            yield f"{name}: {operand} of {dtype} is taken, {gap:.2} from the result"


def elsewhere(name: str) -> Iterator[str]:
    """An operand on another device is refused."""
    operation, operands = OPERATIONS[name]
    for operand in list(operands)[1:]:
        try:
            operation(**{**operands, operand: operands[operand].to("meta")})
            yield f"{name}: {operand} on meta is taken"
        except DataError:
            pass


def of_other_shapes() -> Iterator[str]:
    """A shape that a kernel would read beyond is refused."""
    for name, operand, shape in SHAPES:
        operation, operands = OPERATIONS[name]
        try:
            operation(**{**operands, operand: torch.ones(shape, dtype=operands[operand].dtype)})
            yield f"{name}: {operand} of {shape} is taken"
        except DataError:
            pass


def attempts() -> Iterator[str]:
    """Yield what is not refused."""
    for name in OPERATIONS:
        yield from of_other_dtypes(name)
        yield from elsewhere(name)
    yield from of_other_shapes()


for problem in attempts():
    sys.stdout.write(f"{problem}\n")
