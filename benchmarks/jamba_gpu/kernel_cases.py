"""Operands and calls with which ``benchmarks.jamba_gpu.kernels`` checks each kernel."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks.jamba_gpu.run import Place, lengths_to
from jamba_reader.ops.attention.key_value_memory import KeyValueMemory
from jamba_reader.ops.attention.op import attention, decode_attention
from jamba_reader.ops.causal_conv1d.op import causal_conv1d
from jamba_reader.ops.experts.op import int8_linear, routed_experts
from jamba_reader.ops.experts.operands import ExpertWeights
from jamba_reader.ops.gated_activation.op import gated_activation
from jamba_reader.ops.rms_norm.op import add_rms_norm, rms_norm
from jamba_reader.ops.row_quantisation.op import quantise_rows
from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.op import selective_scan

Operands = dict[str, Tensor]
#: takes operands and the implementation; returns outputs
Operation = Callable[[Operands, Any], tuple[Tensor, ...]]


def cases(place: Place) -> Mapping[str, Callable[[], tuple[Operands, Operation]]]:
    """Return each case's operands, in float64 on the CPU, and what is done with them."""
    found: dict[str, Callable[[], tuple[Operands, Operation]]] = {}
    for channels, states in place.choose(((384, 16), (200, 8), (64, 32), (48, 4)), ((24, 16),)):
        found[f"scan {channels}x{states}"] = partial(_scan, place, channels, states)
    if not place.dry:
        found["scan, all forgotten or all kept"] = partial(_scan, place, 40, 16, extreme=True)
    for width in place.choose((2, 3, 4), (4,)):
        found[f"convolution of {width}"] = partial(_convolution, place, width)
    for width in place.choose((16, 256, 4096, 4100), (16,)):
        found[f"norm of {width}"] = partial(_norm, place, width)
    for activation in place.choose(("silu", "gelu"), ("silu",)):
        found[f"gated {activation}"] = partial(_gated, place, activation)
    for head_dim in place.choose((64, 128), (16,)):
        found[f"decode attention {head_dim}"] = partial(_decode, place, head_dim)
        found[f"prefill attention {head_dim}"] = partial(_prefill, place, head_dim)
    found["experts"] = partial(_experts, place, False)
    found["experts int8"] = partial(_experts, place, True)
    found["linear int8"] = partial(_linear, place)
    return found


def _normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _scan(
    place: Place, channels: int, states: int, *, extreme: bool = False
) -> tuple[Operands, Operation]:
    tokens = place.choose(600, 12)
    segments = Segments(lengths_to(tokens, place.choose((1, 37, 256), (1, 2))))
    rates = -torch.exp(_normal(1, channels, states))
    operands = {
        "x_and_gate": _normal(2, tokens, 2 * channels),
        "dt": _normal(3, tokens, channels) * (30 if extreme else 1) - 2,
        "A": rates * (20 if extreme else 1),
        "B": _normal(4, tokens, states),
        "C": _normal(5, tokens, states),
        "D": _normal(6, channels),
        "dt_bias": _normal(7, channels),
        "initial_state": _normal(8, len(segments), channels, states),
    }

    def operation(o: Operands, kernels: Any) -> tuple[Tensor, ...]:
        x, gate = o["x_and_gate"][:, :channels], o["x_and_gate"][:, channels:]
        y, state = selective_scan(
            x,
            o["dt"],
            o["A"],
            o["B"],
            o["C"],
            o["D"],
            o["dt_bias"],
            gate,
            segments,
            o["initial_state"],
            implementation=kernels,
        )
        return y, state

    return operands, operation


def _convolution(place: Place, width: int) -> tuple[Operands, Operation]:
    tokens, channels = place.choose((900, 328), (9, 20))
    segments = Segments(lengths_to(tokens, (1, 2, 3)))
    operands = {
        "x": _normal(1, tokens, 2 * channels),
        "weight": _normal(2, channels, width),
        "bias": _normal(3, channels),
        "history": _normal(4, len(segments), width - 1, channels),
    }

    def operation(o: Operands, kernels: Any) -> tuple[Tensor, ...]:
        return causal_conv1d(
            o["x"][:, :channels],
            o["weight"],
            o["bias"],
            segments,
            o["history"],
            activation="silu",
            implementation=kernels,
        )

    return operands, operation


def _norm(place: Place, width: int) -> tuple[Operands, Operation]:
    tokens = place.choose(777, 5)
    names = ("x", "residual")
    operands = {name: _normal(n, tokens, width) for n, name in enumerate(names)}
    operands["weight"] = 1 + _normal(3, width)

    def operation(o: Operands, kernels: Any) -> tuple[Tensor, ...]:
        y, total = add_rms_norm(o["x"], o["residual"], o["weight"], 1e-6, implementation=kernels)
        return y, total, rms_norm(o["x"], o["weight"], 1e-6, implementation=kernels)

    return operands, operation


def _gated(place: Place, activation: Any) -> tuple[Operands, Operation]:
    tokens, width = place.choose((333, 1100), (5, 24))

    def operation(o: Operands, kernels: Any) -> tuple[Tensor, ...]:
        return (gated_activation(o["gate_up"], activation=activation, implementation=kernels),)

    return {"gate_up": 3 * _normal(1, tokens, 2 * width)}, operation


def _decode(place: Place, head_dim: int) -> tuple[Operands, Operation]:
    lengths = torch.tensor(place.choose((1, 37, 2049, 5000), (1, 5)))
    shape = (len(lengths), 2, int(lengths.max()) + 8, head_dim)
    operands = {
        "query": _normal(1, len(lengths), 8, head_dim),
        "keys": _normal(2, *shape),
        "values": _normal(3, *shape),
    }

    def operation(o: Operands, kernels: Any) -> tuple[Tensor, ...]:
        there = lengths.to(o["query"].device)
        scale = 1 / math.sqrt(head_dim)
        return (
            decode_attention(
                o["query"], o["keys"], o["values"], there, scale, implementation=kernels
            ),
        )

    return operands, operation


def _prefill(place: Place, head_dim: int) -> tuple[Operands, Operation]:
    """Two calls on one memory; the second sees the first's keys and values."""
    first = Segments(place.choose((700, 1, 0), (3, 1, 0)))
    second = Segments(place.choose((300, 5, 60), (2, 1, 4)))
    tokens = first.total + second.total
    operands = {
        "query": _normal(1, tokens, 8, head_dim),
        "key": _normal(2, tokens, 2, head_dim),
        "value": _normal(3, tokens, 2, head_dim),
    }

    def operation(o: Operands, kernels: Any) -> tuple[Tensor, ...]:
        like, outputs = o["query"], []
        memory = KeyValueMemory.empty(3, 2, head_dim, dtype=like.dtype, device=like.device)
        for segments, rows in (
            (first, slice(0, first.total)),
            (second, slice(first.total, tokens)),
        ):
            key, value = o["key"][rows], o["value"][rows]
            memory = memory.append(key, value, segments)
            outputs.append(
                attention(
                    o["query"][rows],
                    key,
                    value,
                    segments,
                    memory,
                    scale=head_dim**-0.5,
                    implementation=kernels,
                )
            )
        return tuple(outputs)

    return operands, operation


def _experts(place: Place, int8: bool) -> tuple[Operands, Operation]:
    tokens, hidden, inner, count = place.choose((500, 512, 736, 16), (6, 16, 24, 4))
    operands = {
        "x": _normal(1, tokens, hidden),
        "gate_up": _normal(2, count, 2 * inner, hidden) / hidden**0.5,
        "down": _normal(3, count, hidden, inner) / inner**0.5,
        "shares": torch.rand(tokens, 2, generator=torch.Generator().manual_seed(4)).double(),
    }
    if int8:
        for name in ("gate_up", "down"):
            rows = [quantise_rows(weight) for weight in operands[name]]
            operands[name] = torch.stack([row.values for row in rows])
            operands[f"{name}_scale"] = torch.stack([row.scale for row in rows])
    pick = torch.Generator().manual_seed(5)
    chosen = torch.rand(tokens, count, generator=pick).topk(2).indices

    def operation(o: Operands, kernels: Any) -> tuple[Tensor, ...]:
        weights = ExpertWeights(
            o["gate_up"], o["down"], o.get("gate_up_scale"), o.get("down_scale")
        )
        ids = chosen.to(o["x"].device)
        return (
            routed_experts(
                o["x"], weights, ids, o["shares"], activation="silu", implementation=kernels
            ),
        )

    return operands, operation


def _linear(place: Place) -> tuple[Operands, Operation]:
    tokens, inputs, outputs = place.choose((333, 512, 1000), (5, 16, 24))
    quantised = quantise_rows(_normal(2, outputs, inputs))
    operands = {
        "x": _normal(1, tokens, inputs),
        "weight": quantised.values,
        "scale": quantised.scale,
    }

    def operation(o: Operands, kernels: Any) -> tuple[Tensor, ...]:
        return (int8_linear(o["x"], o["weight"], o["scale"], implementation=kernels),)

    return operands, operation
