"""Decoding 1 to 64 sequences together: does the number of tokens a second ever fall?

    python -m benchmarks.jamba.batch

Each number of sequences is stepped in turns by the model as it is, by the single call alone, by the
layers alone, and with the former limit of 16 sequences. So a change of the machine's load affects
all. Reported are medians of wall-clock time, with the best turn beside them: on a busy machine only
that is comparable. ``--cpu`` measures the processor time of one thread, which load hardly changes.
"""

import argparse
import json
import os
import shlex
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.jamba.speed import SHAPE
from jamba_reader.config import JambaConfig
from jamba_reader.model.decoding import program
from jamba_reader.model.initialisation import initialise
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.row_limits import step_rows
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance

ROWS = (1, 2, 4, 8, 12, 16, 17, 20, 24, 25, 32, 33, 40, 48, 56, 64, 65)
STEPS, TURNS = 4, 9
PROMPT = 16
LIMITS: dict[str, Callable[[torch.dtype, int], int]] = {
    "now": step_rows,
    "limit_16": lambda dtype, hidden: 16,
    "call": lambda dtype, hidden: 1 << 30,
    "layers": lambda dtype, hidden: 0,
}


def compare(
    model: JambaLanguageModel, rows: int, turns: int, clock: Callable[[], float]
) -> dict[str, Any]:
    """Time the ways in turns; each has a cache of its own."""
    caches = {}
    for name in LIMITS:
        caches[name] = model.new_cache(rows, PROMPT + STEPS * (turns + 1))
        model.prefill([list(range(1, 1 + PROMPT))] * rows, caches[name])
    tokens = torch.arange(rows) % model.config.vocab_size
    times: dict[str, list[float]] = {name: [] for name in LIMITS}
    for turn in range(turns + 1):
        for name, limit in LIMITS.items():
            program.step_rows = limit  # type: ignore[assignment, attr-defined]
            start = clock()
            for _ in range(STEPS):
                model.step(tokens, caches[name])
            if turn:  # the first one warms up
                times[name].append((clock() - start) / STEPS)
    return {
        "rows": rows,
        "tokens_per_s": {n: round(rows / statistics.median(t), 1) for n, t in times.items()},
        "best_tokens_per_s": {n: round(rows / min(t), 1) for n, t in times.items()},
    }


def falls(results: list[dict[str, Any]]) -> list[str]:
    """Return where more sequences give fewer tokens a second, with the share that is lost."""
    rates = [(found["rows"], found["tokens_per_s"]["now"]) for found in results]
    found, (_, most) = [], rates[0]
    for rows, rate in rates:
        if rate < most:
            found.append(f"{rows}: {1 - rate / most:.1%}")
        most = max(most, rate)
    return found


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--cpu", action="store_true", help="processor time of one thread")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/jamba_batch.json"))
    options = parser.parse_args()
    threads = 1 if options.cpu else options.threads
    torch.set_num_threads(threads)
    load, results = os.getloadavg()[0], {}
    for dtype in (torch.float32, torch.bfloat16):
        config = JambaConfig.from_mapping({"model_type": "jamba", **SHAPE})
        model = JambaLanguageModel(config, dtype=dtype)
        initialise(model, torch.Generator().manual_seed(0))
        model.eval()
        clock = time.process_time if options.cpu else time.perf_counter
        measured = [compare(model, rows, options.turns, clock) for rows in ROWS]
        name = str(dtype).removeprefix("torch.")
        results[name] = {"falls": falls(measured), "rows": measured}
        print(json.dumps({name: results[name]}, indent=2))
    record = {
        "command": f"python -m benchmarks.jamba.batch {shlex.join(sys.argv[1:])}".strip(),
        "made": provenance(),
        "load_average": {"before": load, "after": os.getloadavg()[0]},
        "threads": threads,
        "clock": "processor time" if options.cpu else "wall clock",
        "shape": SHAPE,
        "results": results,
    }
    write_json(options.output, record)


if __name__ == "__main__":
    main()
