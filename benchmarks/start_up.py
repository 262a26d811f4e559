"""Measures ``spider --help`` and ``spider train --help`` against a bare interpreter.

    python -m benchmarks.start_up

Interleaved, medians of 15; writes ``benchmarks/results/start_up.json``.
"""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance

ROUNDS = 15
SPIDER = str(Path(sys.executable).with_name("spider"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "spider --help": [SPIDER, "--help"],
    "spider train --help": [SPIDER, "train", "--help"],
}


def main() -> None:
    """Measure and write."""
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - started)
    medians = {name: round(statistics.median(values), 4) for name, values in seconds.items()}
    output = Path(__file__).parent / "results" / "start_up.json"
    write_json(output, {**provenance(), "rounds": ROUNDS, "median_seconds": medians})
    for name, value in medians.items():
        print(f"{name:<22} {value * 1000:6.0f} ms")


if __name__ == "__main__":
    main()
