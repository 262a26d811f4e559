"""Part ``experts``: one of Jamba-1.5-Mini's mixtures of experts, int8 against bfloat16.

With few tokens the time is that of reading the chosen experts' weights, which int8 halves; with
many it is the matrix products', which int8 does not change. A plain loop over the experts in torch
is the third in turn.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks.jamba_gpu.run import Place, Results, copy_rate, draw, seconds
from jamba_reader.ops.experts.op import routed_experts
from jamba_reader.ops.experts.operands import ExpertWeights

EXPERTS, CHOSEN, HIDDEN, INNER = 16, 2, 4096, 14336
TOKENS = (1, 8, 64, 512, 4096, 16384)


def run(place: Place, results: Results) -> None:
    """Time each number of tokens."""
    results.step("copy", lambda: {"bytes_per_s": copy_rate(place)})
    if all(results.succeeded(f"{tokens} tokens") for tokens in place.choose(TOKENS, (1, 5))):
        return
    layers = {"bfloat16": floats(place), "int8": integers(place)}
    for tokens in place.choose(TOKENS, (1, 5)):
        results.step(f"{tokens} tokens", partial(_time, place, layers, tokens))


def floats(place: Place) -> ExpertWeights:
    """Return random weights in bfloat16."""
    experts, hidden, inner = _shape(place)
    source = draw(place, 0)

    def normal(*shape: int) -> Tensor:
        empty = torch.empty(shape, device=place.device, dtype=torch.bfloat16)
        return empty.normal_(std=1 / shape[-1] ** 0.5, generator=source)

    return ExpertWeights(normal(experts, 2 * inner, hidden), normal(experts, hidden, inner))


def integers(place: Place) -> ExpertWeights:
    """Return random weights in int8 of the same size."""
    experts, hidden, inner = _shape(place)
    source = draw(place, 1)

    def drawn(*shape: int) -> tuple[Tensor, Tensor]:
        values = torch.empty(shape, device=place.device, dtype=torch.int8)
        scale = torch.full(shape[:2], shape[-1] ** -0.5 / 73, device=place.device)
        return values.random_(-127, 128, generator=source), scale

    (gate_up, gate_up_scale), (down, down_scale) = (
        drawn(experts, 2 * inner, hidden),
        drawn(experts, hidden, inner),
    )
    return ExpertWeights(gate_up, down, gate_up_scale, down_scale)


def _shape(place: Place) -> tuple[int, int, int]:
    return (4, 16, 24) if place.dry else (EXPERTS, HIDDEN, INNER)


def _time(place: Place, layers: dict[str, ExpertWeights], tokens: int) -> dict[str, Any]:
    experts, hidden, inner = _shape(place)
    source = draw(place, tokens)
    x = torch.empty(tokens, hidden, device=place.device, dtype=torch.bfloat16)
    x.normal_(generator=source)
    scores = torch.rand(tokens, experts, device=place.device, generator=source)
    shares, ids = scores.softmax(dim=-1).topk(CHOSEN)
    used, products = len(set(ids.flatten().tolist())), 6 * tokens * CHOSEN * hidden * inner
    result: dict[str, Any] = {"experts_used": used}
    for name, weights in layers.items():
        work = partial(routed_experts, x, weights, ids, shares.to(x.dtype), activation="silu")
        taken = seconds(place, partial(work, implementation=place.kernels))
        read = used * 3 * hidden * inner * weights.gate_up.itemsize
        result[name] = {
            **taken,
            "flops_per_s": products / taken["seconds"],
            "weight_bytes_per_s": read / taken["seconds"],
        }
        if tokens <= 512:
            loop = seconds(place, partial(work, implementation="reference"), repeats=5)
            result[name]["torch_loop_seconds"] = loop["seconds"]
    result["int8_speed_up"] = result["bfloat16"]["seconds"] / result["int8"]["seconds"]
    return result
