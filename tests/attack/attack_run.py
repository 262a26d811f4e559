"""Attacks artifacts: crash states of their writers, kills of commands, flipped bits.

python -m tests.attack.attack_run --kills 221 --output benchmarks/results/attack_artifacts.json
python -m tests.attack.attack_run --only crash
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.attack import bit_flips, crash_states, crash_writers, kills

ROOT = Path(__file__).parents[2]
FAILURES = ("lost", "different", "untyped", "served")


def crash_situation(name: str, scratch: Path, *, stride: int = 1) -> dict[str, Any]:
    """Attack every ``stride``-th state of one writer, with the same process number and another."""
    write, begin = crash_writers.SITUATIONS[name]
    start, whole = scratch / "start", scratch / "whole"
    start.mkdir()
    begin(start)
    shutil.copytree(start, whole)
    write(whole)
    states = crash_states.enumerate_states(write, start, scratch)
    attacks, failures = 0, []
    for number in range(0, len(states), stride):
        for tear in crash_states.tears(states[number]):
            for pid in (os.getpid(), 4242):
                attacks += 1
                outcome = crash_states.attack(states[number], tear, pid, write, start, whole)
                if any(outcome):
                    failures.append((number, tear, pid == os.getpid(), outcome._asdict()))
    return {"states": len(states), "attacks": attacks, "failures": failures}


def crashes() -> dict[str, Any]:
    """Attack every state of every writer."""
    figures: Counter[str] = Counter(dict.fromkeys(FAILURES, 0))
    for name in crash_writers.SITUATIONS:
        with tempfile.TemporaryDirectory() as scratch:
            found = crash_situation(name, Path(scratch))
        figures["states"] += found["states"]
        figures["attacks"] += found["attacks"]
        for number, tear, same, outcome in found["failures"]:
            figures.update(name for name in FAILURES if outcome[name])
            _say(f"{name}, state {number} {tear}, same process number {same}: {outcome}")
        _say(f"{name}: {found['states']} states, {found['attacks']} attacks")
    return dict(figures)


def main() -> None:
    """Attack, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("crash", "flip", "kill"))
    parser.add_argument("--flips", type=int, default=400)
    parser.add_argument("--kills", type=int, default=221)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path)
    chosen = parser.parse_args()
    found: dict[str, Any] = {}
    rng = random.Random(chosen.seed)  # noqa: S311
    if chosen.only in (None, "crash"):
        found["crash_states"] = crashes()
    if chosen.only in (None, "flip", "kill"):
        with tempfile.TemporaryDirectory() as scratch:
            workspace = kills.Workspace(Path(scratch))
            if chosen.only != "kill":
                found["bit_flips"] = bit_flips.flips(
                    workspace.made, chosen.flips, rng, Path(scratch) / "flips"
                )
            if chosen.only != "flip":
                found["kills"] = kills.kill(workspace, chosen.kills, rng)
            workspace.close()
    _say(json.dumps(found, indent=2))
    if chosen.output is not None:
        write(chosen.output, found)
    sys.exit(1 if failed(found) else 0)


def failed(found: Mapping[str, Any]) -> bool:
    """Return whether a figure that has to be 0 is not."""
    zero = (*FAILURES, "silent")
    return any(part.get(name) for part in found.values() for name in zero)


def write(output: Path, found: Mapping[str, Any]) -> None:
    """Write the figures with commit, hardware and command, as the other results have them."""
    from spider.artifacts.atomic_files import write_json
    from spider.artifacts.provenance import provenance

    command = " ".join(["python -m tests.attack.attack_run", *sys.argv[1:]])
    write_json(output, {**provenance(), "command": command, **found})


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
