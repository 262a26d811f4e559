"""Prefill and decoding on a CPU against transformers, on the same weights with the same threads.

    python -m benchmarks.jamba.speed

A process of each library stays alive and they take turns, task by task, so that a change of the
machine's load affects all; medians are reported. transformers reads a prompt at once, we read
it 2,048 tokens at a time; the matrix products of our prefill are timed alone in the same turns.
Peak memory is each process's own, of its first run at a length, shorter lengths first.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance

#: a Mamba-heavy model of 52 M parameters
SHAPE = {
    "vocab_size": 8192,
    "hidden_size": 512,
    "intermediate_size": 1024,
    "num_hidden_layers": 8,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "num_experts": 4,
    "num_experts_per_tok": 2,
}
QUICK = {**SHAPE, "hidden_size": 64, "intermediate_size": 64, "vocab_size": 128}
DTYPES = ("float32", "bfloat16")
#: tokens and repeats: transformers takes about 20 s at 8,192
PREFILLS = {512: 5, 2048: 5, 8192: 2}
DECODE = {"prompt": 512, "tokens": 64}
DECODE_REPEATS = 5


class Process:
    """A worker and its answers.

    Args:
        library: whose model.
        dtype: of its weights.
        threads: of its matrix products and kernels.
        folder: with the weights.
        wait_policy: OpenMP's, or "default". torch and numba have a pool of threads each; while
            one pool's idle threads spin (the default) they keep the other's from the cores.
    """

    def __init__(self, library: str, dtype: str, threads: int, folder: Path, wait_policy: str):
        options = {"library": library, "dtype": dtype, "threads": threads, "folder": folder}
        command = [sys.executable, "-m", "benchmarks.jamba.speed_worker"]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        if wait_policy != "default":
            environment["OMP_WAIT_POLICY"] = wait_policy
        self.child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self.resident_mib = self._answer()["resident_mib"]

    def ask(self, task: str, **options: Any) -> dict[str, Any]:
        """Have it do a task."""
        assert self.child.stdin
        self.child.stdin.write(json.dumps({"task": task, **options}) + "\n")
        self.child.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """End it."""
        assert self.child.stdin
        self.child.stdin.close()
        self.child.wait()

    def _answer(self) -> dict[str, Any]:
        assert self.child.stdout
        line = self.child.stdout.readline()
        if not line:
            raise RuntimeError(f"{shlex.join(map(str, self.child.args))} ended")  # type: ignore[arg-type]
        answer: dict[str, Any] = json.loads(line)
        return answer


def write_weights(values: dict[str, Any], folder: Path) -> int:
    """Write config and weights for the workers; return the number of parameters."""
    code = (
        "import json, sys; from pathlib import Path; from safetensors.torch import save_file;"
        "from benchmarks.jamba.models import transformers_model;"
        "folder = Path(sys.argv[1]);"
        "values = json.loads((folder / 'config.json').read_text(encoding='utf-8'));"
        "model = transformers_model(values, seed=0);"
        "save_file(model.state_dict(), folder / 'weights.safetensors');"
        "print(sum(parameter.numel() for parameter in model.parameters()))"
    )
    write_json(folder / "config.json", values)
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], check=True, stdout=subprocess.PIPE, text=True
    )
    return int(done.stdout.split()[-1])


def median(answers: Sequence[dict[str, Any]], key: str = "seconds") -> float:
    """Return the median of a key."""
    return float(statistics.median(answer[key] for answer in answers))


def relative_gap(found: Sequence[float], expected: Sequence[float]) -> float:
    """Return the largest difference over the largest expected value."""
    largest = max(abs(value) for value in expected)
    return max(abs(a - b) for a, b in zip(found, expected, strict=True)) / largest


def time_prefill(
    workers: dict[str, Process], tokens: int, repeats: int
) -> dict[str, float | list[float]]:
    """Time both libraries and the products in turns."""
    answers: dict[str, list[dict[str, Any]]] = {"ours": [], "transformers": [], "products": []}
    for _ in range(repeats):
        answers["ours"].append(workers["ours"].ask("prefill", tokens=tokens))
        answers["products"].append(workers["ours"].ask("products", tokens=tokens))
        answers["transformers"].append(workers["transformers"].ask("prefill", tokens=tokens))
    ours, theirs = median(answers["ours"]), median(answers["transformers"])
    alone, attention = (median(answers["products"], k) for k in ("seconds", "attention_seconds"))
    result: dict[str, float | list[float]] = {"tokens": tokens}
    for name, seconds in (("ours", ours), ("transformers", theirs)):
        first = answers[name][0]
        result[f"{name}_seconds"] = [round(a["seconds"], 4) for a in answers[name]]
        result[f"{name}_tokens_per_s"] = round(tokens / seconds, 1)
        result[f"{name}_peak_mib"] = round(first["peak_mib"])
        result[f"{name}_peak_above_weights_mib"] = round(first["peak_above_before_mib"], 1)
    return {
        **result,
        "speed_up": round(theirs / ours, 2),
        "matrix_products_seconds": round(alone, 4),
        "matrix_products_gflops": round(answers["products"][0]["flops"] / alone / 1e9, 1),
        "attention_seconds": round(attention, 4),
        "ours_over_matrix_products": round(ours / alone, 2),
        "ours_over_matrix_products_and_attention": round(ours / (alone + attention), 2),
        "logits_gap": relative_gap(
            answers["ours"][0]["logits"], answers["transformers"][0]["logits"]
        ),
    }


def time_decoding(
    workers: dict[str, Process], repeats: int, task: dict[str, int]
) -> dict[str, Any]:
    """Time one token at a time in turns."""
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in workers}
    for _ in range(repeats):
        for name, worker in workers.items():
            answers[name].append(worker.ask("decode", **task))
    rates = {name: task["tokens"] / median(found) for name, found in answers.items()}
    return {
        **task,
        **{f"{name}_seconds": [round(a["seconds"], 4) for a in answers[name]] for name in workers},
        **{f"{name}_tokens_per_s": round(rate, 1) for name, rate in rates.items()},
        "speed_up": round(rates["ours"] / rates["transformers"], 2),
    }


def measure(folder: Path, threads: int, wait_policy: str, quick: bool) -> dict[str, Any]:
    """Measure both data types."""
    prefills = {64: 1, 192: 1} if quick else PREFILLS
    task = {"prompt": 16, "tokens": 4} if quick else DECODE
    results = {}
    for dtype in DTYPES:
        workers = {
            library: Process(library, dtype, threads, folder, wait_policy)
            for library in ("ours", "transformers")
        }
        for worker in workers.values():
            worker.ask("decode", prompt=min(prefills), tokens=2)  # compiles and warms up
        results[dtype] = {
            "weights_resident_mib": {n: round(w.resident_mib) for n, w in workers.items()},
            "prefill": [time_prefill(workers, *item) for item in prefills.items()],
            "decode": time_decoding(workers, 1 if quick else DECODE_REPEATS, task),
        }
        print(json.dumps({dtype: results[dtype]}, indent=2))
        for worker in workers.values():
            worker.close()
    return results


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--wait-policy", choices=["default", "passive", "active"], default="default"
    )
    parser.add_argument("--quick", action="store_true", help="use a tiny model as a check")
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/jamba_speed.json"))
    options = parser.parse_args()
    shape = QUICK if options.quick else SHAPE
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        parameters = write_weights(shape, Path(folder))
        results = measure(Path(folder), options.threads, options.wait_policy, options.quick)
    record = {
        "command": f"python -m benchmarks.jamba.speed {shlex.join(sys.argv[1:])}".strip(),
        "made": provenance(),
        "load_average_before": load,
        "threads": options.threads,
        "openmp_wait_policy": options.wait_policy,
        "shape": shape,
        "parameters": parameters,
        "results": results,
    }
    write_json(options.output, record)


if __name__ == "__main__":
    main()
