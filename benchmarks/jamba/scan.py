"""State updates a second of the selective scan against transformers' loop and the copy rate.

All take the same operands with the same threads, in turns, so that a change of the machine's load
affects all; medians of the rounds are reported. A state update is one (token, channel, state): the
work that ``delta`` bias, softplus, D and the gate add is in the time, not in the count. Ours reads
strided rows as they come out of a projection; transformers' function gets its own layout
ready-made. ``copy`` is torch's copy of half a gigabyte, to compare with the bytes of x, dt, gate
and y that the scan moves. Errors are against float64, over constant inputs (where rounding errors
add up instead of cancelling) and random ones.

    python -m benchmarks.jamba.scan
"""

import argparse
import shlex
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selective_scan.op import selective_scan
from jamba_reader.ops.selective_scan.operands import ScanInputs
from jamba_reader.ops.selective_scan.reference import selective_scan_reference
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance

STATES = 16
COPIED = 2**29
SHAPES = ((1024, 2048), (2048, 1024), (8192, 256))
"""Channels and tokens."""


def operands(tokens: int, channels: int, dtype: torch.dtype) -> ScanInputs:
    """Random operands as a mixer gives them: x beside the gate, B beside C."""
    source = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=source).to(dtype)

    both, projected = normal(tokens, 2 * channels), normal(tokens, 2 * STATES)
    return ScanInputs(
        both[:, :channels],
        normal(tokens, channels) - 3,
        -torch.arange(1, STATES + 1.0).expand(channels, -1).contiguous(),
        projected[:, :STATES],
        projected[:, STATES:],
        normal(channels),
        normal(channels),
        both[:, channels:],
        None,
    )


def each(inputs: ScanInputs, change: Callable[[Tensor], Tensor]) -> ScanInputs:
    """Change every operand that is there."""
    changed: list[Any] = [None if tensor is None else change(tensor) for tensor in inputs]
    return ScanInputs(*changed)


def scan(inputs: ScanInputs) -> Tensor:
    """Our function, called through its ``op.py``."""
    return selective_scan(*inputs[:8], Segments((len(inputs.x),)), inputs.initial_state).y


def transformers_scan(inputs: ScanInputs) -> Callable[[], Tensor]:
    """Prepare transformers' function of the same operands."""
    from transformers.models.jamba.modeling_jamba import mamba_selective_scan

    x, dt, A, B, C, D, dt_bias, gate, _ = inputs  # noqa: N806
    x, dt, gate, B, C = (  # noqa: N806
        t.T[None].contiguous() for t in (x, dt, x if gate is None else gate, B, C)
    )
    z = None if inputs.gate is None else gate

    def run() -> Tensor:
        y: Tensor = mamba_selective_scan(
            x, dt, A, B, C, D, z=z, delta_bias=dt_bias, delta_softplus=True
        )
        return y

    return run


def copy_of_memory() -> Callable[[], Tensor]:
    """A copy that reads and writes ``COPIED`` bytes in all, more than a cache holds."""
    source = torch.ones(COPIED // 2, dtype=torch.uint8)
    target = torch.ones_like(source)
    return lambda: target.copy_(source)


def timed(work: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Time each once per round, in turns.

    Each runs once untimed before it is timed, so that it does not pay for memory pages and cache
    lines that the previous one used.
    """
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, call in work.items():
            call()
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return times


def forward(channels: int, tokens: int, dtype: torch.dtype, rounds: int) -> dict[str, Any]:
    """Measure a scan of one sequence."""
    inputs = operands(tokens, channels, dtype)
    theirs = transformers_scan(inputs)
    size = 4 * inputs.x.numel() * inputs.x.element_size()
    work: dict[str, Callable[[], Any]] = {
        "spider": lambda: scan(inputs),
        "copy": copy_of_memory(),
        "transformers": theirs,
    }
    with torch.no_grad():
        gap = (scan(inputs).float() - theirs()[0].T.float()).abs().max().item()
        times = timed(work, rounds)
    middle = {name: statistics.median(found) for name, found in times.items()}
    updates = tokens * channels * STATES / 1e9
    return {
        "channels": channels,
        "tokens": tokens,
        "dtype": str(dtype).removeprefix("torch."),
        "spider_g_updates_per_s": round(updates / middle["spider"], 2),
        "spider_best_g_updates_per_s": round(updates / min(times["spider"]), 2),
        "transformers_g_updates_per_s": round(updates / middle["transformers"], 4),
        "times_faster": round(middle["transformers"] / middle["spider"], 1),
        "spider_gb_per_s": round(size / middle["spider"] / 1e9, 2),
        "copy_gb_per_s": round(COPIED / middle["copy"] / 1e9, 2),
        "largest_difference": gap,
        "seconds": times,
    }


def backward(channels: int, tokens: int, rounds: int) -> dict[str, Any]:
    """Measure gradients of all inputs, in float32; transformers' through autograd."""
    inputs = operands(tokens, channels, torch.float32)
    leaves = each(inputs, lambda tensor: tensor.detach().requires_grad_())
    ours, theirs = scan(leaves), transformers_scan(leaves)()
    upstream = torch.ones_like(ours)

    def ours_backward() -> None:
        torch.autograd.grad(ours, leaves.x, upstream, retain_graph=True)

    def theirs_backward() -> None:
        torch.autograd.grad(theirs, leaves.x, upstream.T[None], retain_graph=True)

    times = timed({"spider": ours_backward, "transformers": theirs_backward}, rounds)
    middle = {name: statistics.median(found) for name, found in times.items()}
    updates = tokens * channels * STATES / 1e9
    return {
        "channels": channels,
        "tokens": tokens,
        "spider_g_updates_per_s": round(updates / middle["spider"], 2),
        "transformers_g_updates_per_s": round(updates / middle["transformers"], 4),
        "times_faster": round(middle["transformers"] / middle["spider"], 1),
        "seconds": times,
    }


def one_token(channels: int, rounds: int) -> dict[str, Any]:
    """Measure a step of generating, Python included."""
    inputs = operands(1, channels, torch.float32)
    inputs = inputs._replace(initial_state=torch.zeros(1, channels, STATES))
    with torch.no_grad():
        times = timed({"spider": lambda: scan(inputs)}, 200 * rounds)["spider"]
    return {"channels": channels, "microseconds": round(1e6 * statistics.median(times), 1)}


def error(tokens: int, *, constant: bool) -> dict[str, Any]:
    """Largest error of a channel's outputs, of its largest output, against float64."""
    channels = 16
    inputs = operands(tokens, channels, torch.float32)._replace(gate=None)
    steps = torch.logspace(-4, 1, channels, dtype=torch.float64)
    dt = (steps + torch.log(-torch.expm1(-steps))).float()
    inputs = inputs._replace(
        dt=dt.expand(tokens, channels).contiguous(),
        A=-torch.logspace(-2, 1.8, STATES).expand(channels, -1).contiguous(),
        D=torch.zeros(channels),
        dt_bias=torch.zeros(channels),
    )
    if constant:
        inputs = inputs._replace(
            **{name: torch.full_like(getattr(inputs, name), 0.7) for name in ("x", "B", "C")}
        )
    wide = each(inputs, Tensor.double)
    with torch.no_grad():
        exact = selective_scan_reference(wide, Segments((tokens,))).y
        found = {"spider": scan(inputs), "transformers": transformers_scan(inputs)()[0].T}
    largest = exact.abs().amax(0)
    return {
        "tokens": tokens,
        "inputs": "constant" if constant else "random",
        **{name: ((y - exact).abs().amax(0) / largest).max().item() for name, y in found.items()},
    }


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/jamba_scan.json"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    kinds = torch.float32, torch.bfloat16
    write_json(
        options.output,
        {
            "command": f"python -m benchmarks.jamba.scan {shlex.join(sys.argv[1:])}".strip(),
            "made": provenance(),
            "threads": options.threads,
            "states": STATES,
            "forward": [
                forward(*shape, kind, options.rounds) for shape in SHAPES for kind in kinds
            ],
            "backward": [backward(1024, 512, options.rounds)],
            "one_token": [one_token(channels, options.rounds) for channels in (1024, 8192)],
            "error": [error(8192, constant=constant) for constant in (True, False)],
        },
    )


if __name__ == "__main__":
    main()
