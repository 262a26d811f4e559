"""Products of a few rows with a matrix: ours against torch's, in turns, weights from memory.

    python -m benchmarks.jamba.few_rows

Each turn multiplies by several matrices that exceed the caches, so the rate of reading weights from
memory is compared. Reported are medians of the turns, in gigabytes of weights a second.
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
from torch.nn import functional

from jamba_reader.ops.linear.op import linear
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance

SHAPES = ((2048, 512), (512, 1024), (4096, 4096))
"""Outputs and inputs."""
ROWS = (1, 2, 4, 8, 16)
BYTES = 160_000_000
TURNS = 11


def seconds(multiply: Callable[[Tensor, Tensor], Tensor], x: Tensor, stack: Tensor) -> float:
    """Time one pass over the matrices."""
    start = time.perf_counter()
    for weight in stack:
        multiply(x, weight)
    return time.perf_counter() - start


def compare(outputs: int, inputs: int, dtype: torch.dtype, rows: int, turns: int) -> dict[str, Any]:
    """Time both in turns."""
    count = max(1, BYTES // (outputs * inputs * dtype.itemsize))
    stack = torch.randn(count, outputs, inputs).to(dtype)
    x = torch.randn(rows, inputs).to(dtype)
    times: dict[str, list[float]] = {"ours": [], "torch": []}
    for multiply in (linear, functional.linear):
        seconds(multiply, x, stack)
    for _ in range(turns):
        times["ours"].append(seconds(linear, x, stack))
        times["torch"].append(seconds(functional.linear, x, stack))
    ours, theirs = (statistics.median(found) for found in times.values())
    return {
        "dtype": str(dtype).removeprefix("torch."),
        "outputs": outputs,
        "inputs": inputs,
        "rows": rows,
        "ours_gb_per_s": round(stack.nbytes / ours / 1e9, 1),
        "torch_gb_per_s": round(stack.nbytes / theirs / 1e9, 1),
        "times_faster": round(theirs / ours, 2),
    }


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument(
        "--output", type=Path, default=Path("benchmarks/results/jamba_few_rows.json")
    )
    options = parser.parse_args()
    torch.set_num_threads(2)
    results = []
    with torch.no_grad():
        for dtype in (torch.float32, torch.bfloat16):
            for outputs, inputs in SHAPES:
                for rows in ROWS:
                    results.append(compare(outputs, inputs, dtype, rows, options.turns))
                    print(results[-1])
    record = {
        "command": f"python -m benchmarks.jamba.few_rows {shlex.join(sys.argv[1:])}".strip(),
        "made": provenance(),
        "threads": 2,
        "results": results,
    }
    write_json(options.output, record)


if __name__ == "__main__":
    main()
