"""Part ``scan``: the selective scan at Jamba-1.5-Mini's width, in bytes a second.

The fewest bytes that it can move are x, dt and gate read and y written once, with B and C; their
rate is compared with that of a plain copy. Every channel is one thread that walks through the
tokens, so a short batch has too few threads to reach it, and 16 exponentials a token are work as
well.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from benchmarks.jamba_gpu.run import Place, Results, copy_rate, draw, seconds
from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.op import selective_scan

CHANNELS, STATES = 8192, 16
TOKENS = (4096, 16384, 65536, 262_144)


def run(place: Place, results: Results) -> None:
    """Time the forward scan over lengths and the backward one once."""
    results.step("copy", lambda: {"bytes_per_s": copy_rate(place)})
    rate = results.record["steps"]["copy"].get("bytes_per_s")
    for dtype in (torch.bfloat16, torch.float32):
        short = str(dtype).removeprefix("torch.")
        for tokens in place.choose(TOKENS, (8, 16)):
            if dtype == torch.bfloat16 or tokens <= 16384:
                work = partial(_forward, place, tokens, 1, dtype, rate)
                results.step(f"forward {short} 1 x {tokens}", work)
    sequences, tokens = place.choose((16, 1024), (3, 4))
    work = partial(_forward, place, tokens, sequences, torch.bfloat16, rate)
    results.step(f"forward bfloat16 {sequences} x {tokens}", work)
    results.step("forward and backward bfloat16", partial(_backward, place))
    results.step("one token of 64 sequences", partial(_one_token, place))


def operands(place: Place, tokens: int, dtype: torch.dtype) -> dict[str, Any]:
    """Return random operands, x and gate being halves of one projection as in the model."""
    channels = place.choose(CHANNELS, 24)
    source = draw(place, 0)

    def normal(*shape: int) -> Tensor:
        return torch.empty(shape, device=place.device, dtype=dtype).normal_(generator=source)

    both, projected = normal(tokens, 2 * channels), normal(tokens, 2 * STATES)
    rates = torch.arange(1, STATES + 1, device=place.device, dtype=torch.float32)
    return {
        "x": both[:, :channels],
        "dt": normal(tokens, channels),
        "A": -rates.expand(channels, -1).contiguous(),
        "B": projected[:, :STATES].contiguous(),
        "C": projected[:, STATES:].contiguous(),
        "D": normal(channels),
        "dt_bias": normal(channels) - 3,
        "gate": both[:, channels:],
    }


def _forward(
    place: Place, tokens: int, sequences: int, dtype: torch.dtype, rate: float | None
) -> dict[str, Any]:
    segments = Segments([tokens] * sequences)
    values = operands(place, segments.total, dtype)
    channels = values["x"].shape[1]
    initial = torch.zeros(sequences, channels, STATES, device=place.device)

    def work() -> object:
        return selective_scan(
            **values, segments=segments, initial_state=initial, implementation=place.kernels
        )

    taken = seconds(place, work)
    rows = segments.total * channels * dtype.itemsize
    moved = 4 * rows + 2 * segments.total * STATES * dtype.itemsize
    updates = segments.total * channels * STATES
    return {
        "sequences": sequences,
        "tokens": tokens,
        "channels": channels,
        **taken,
        "bytes": moved,
        "bytes_per_s": moved / taken["seconds"],
        "share_of_copy": moved / taken["seconds"] / rate if rate else None,
        "state_updates_per_s": updates / taken["seconds"],
    }


def _backward(place: Place) -> dict[str, Any]:
    tokens = place.choose(16384, 8)
    values = operands(place, tokens, torch.bfloat16)
    leaves = {name: value.detach().clone().requires_grad_() for name, value in values.items()}
    segments = Segments([tokens])

    def work() -> None:
        with torch.enable_grad():
            y = selective_scan(**leaves, segments=segments, implementation=place.kernels).y
            torch.autograd.backward(y, torch.ones_like(y))

    return {"tokens": tokens, **seconds(place, work, repeats=10)}


def _one_token(place: Place) -> dict[str, Any]:
    sequences = place.choose(64, 2)
    values = operands(place, sequences, torch.bfloat16)
    segments = Segments([1] * sequences)
    channels = values["x"].shape[1]
    state = torch.zeros(sequences, channels, STATES, device=place.device)

    def work() -> object:
        return selective_scan(
            **values, segments=segments, initial_state=state, implementation=place.kernels
        )

    taken = seconds(place, work)
    return {**taken, "state_bytes_per_s": 2 * state.nbytes / taken["seconds"]}
