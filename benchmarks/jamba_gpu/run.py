"""Shared by the parts of ``benchmarks.jamba_gpu``: the device, saved results, and timing."""

import math
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from jamba_reader.ops.selection import Implementation
from spider.artifacts.atomic_files import write_json
from spider.reading import read_json

#: a part starts no new step after this many seconds: a command on a lent GPU ends at ten minutes
LONGEST_START = 360.0


class Place(NamedTuple):
    """Where a part runs: on a GPU, or interpreted on a CPU with tiny shapes.

    Attributes:
        device: of all tensors.
        dry: whether it is the dry run.
    """

    device: torch.device
    dry: bool

    @property
    def kernels(self) -> Implementation:
        """Triton's kernels: on a CPU only when asked for."""
        return "triton"

    def choose(self, real: Any, dry: Any) -> Any:
        """Return the size to take."""
        return dry if self.dry else real

    def wait(self) -> None:
        """Wait until the device has done all its work."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()


class Results:
    """Results of a part by step, written after each step.

    A step that is there is not run again unless it failed. Each step has the commit it ran at, as
    the steps of one file may be of several.

    Args:
        path: the JSON file.
        header: what the file begins with when it is new; its ``made`` has the commit.
    """

    def __init__(self, path: Path, header: dict[str, Any]):
        self.path = path
        self.record = read_json(path) if path.exists() else {**header, "steps": {}}
        self.left_out: list[str] = []
        self._commit = header.get("made", {}).get("commit", "")
        self._started = time.monotonic()

    def step(self, name: str, work: Callable[[], dict[str, Any]]) -> None:
        """Do a step unless it has succeeded, or there is no time; an error is a result too."""
        if self.succeeded(name):
            return
        if time.monotonic() - self._started > LONGEST_START:
            self.left_out.append(name)
            return
        begun = time.monotonic()
        try:
            result = work()
        except Exception as error:
            # out of memory, or a kernel that does not compile: the other steps still run
            result = {"failed": f"{type(error).__name__}: {error}"[:600]}
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        result["commit"] = self._commit
        result["step_seconds"] = round(time.monotonic() - begun, 2)
        self.record["steps"][name] = result
        write_json(self.path, self.record)
        print(f"{name}: {result}", flush=True)

    def succeeded(self, name: str) -> bool:
        """Return whether a step is done and did not fail."""
        return name in self.record["steps"] and not _failed(self.record["steps"][name])

    @property
    def failures(self) -> list[str]:
        """Steps that failed, or whose errors are over their limit."""
        return [name for name, result in self.record["steps"].items() if _failed(result)]


def _failed(result: dict[str, Any]) -> bool:
    return "failed" in result or result.get("passed") is False


def seconds(
    place: Place, work: Callable[[], object], *, repeats: int = 20, warm_up: int = 3
) -> dict[str, float]:
    """Time ``work`` with the device's own clock; return median, least and most, in seconds."""
    repeats, warm_up = place.choose(repeats, 1), place.choose(warm_up, 0)
    for _ in range(warm_up):
        work()
    place.wait()
    times = [_one(place, work) for _ in range(repeats)]
    return {
        "seconds": statistics.median(times),
        "least_seconds": min(times),
        "most_seconds": max(times),
    }


def _one(place: Place, work: Callable[[], object]) -> float:
    if place.device.type != "cuda":
        start = time.perf_counter()
        work()
        return time.perf_counter() - start
    event: Any = torch.cuda.Event
    first, last = event(enable_timing=True), event(enable_timing=True)
    first.record()
    work()
    last.record()
    last.synchronize()
    return float(first.elapsed_time(last)) / 1000


def copy_rate(place: Place) -> float:
    """Return bytes a second, read and written, of a device-to-device copy of 2 GiB."""
    source = torch.randn(place.choose(1 << 29, 1 << 10), device=place.device)
    target = torch.empty_like(source)
    taken = seconds(place, lambda: target.copy_(source))["seconds"]
    return 2 * source.nbytes / taken


def error_by_norm(found: Tensor, expected: Tensor) -> float:
    """Return ``‖found - expected‖ / ‖expected‖`` in float64; a NaN makes it infinite."""
    expected = expected.double().cpu()
    difference = found.detach().double().cpu() - expected
    error = float(difference.norm() / expected.norm().clamp_min(1e-300))
    return error if math.isfinite(error) else 1e300


def draw(place: Place, seed: int) -> torch.Generator:
    """Return a generator on the device."""
    return torch.Generator(place.device).manual_seed(seed)


def peak_gib(place: Place) -> float:
    """Return the most device memory that tensors took since ``forget_peak``."""
    return torch.cuda.max_memory_allocated() / 1024**3 if place.device.type == "cuda" else 0.0


def forget_peak(place: Place) -> None:
    """Let the peak begin at what is taken now."""
    if place.device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def device_facts(place: Place) -> dict[str, Any]:
    """Return the device's name, memory and versions."""
    facts: dict[str, Any] = {"dry_run": place.dry, "torch": torch.__version__}
    if place.device.type == "cuda":
        properties = torch.cuda.get_device_properties(0)
        facts |= {
            "device": properties.name,
            "memory_gib": round(properties.total_memory / 1024**3, 1),
            "multiprocessors": properties.multi_processor_count,
            "cuda": torch.version.cuda,
        }
    return facts


def lengths_to(total: int, parts: Sequence[int]) -> list[int]:
    """Return ragged lengths, some of them zero, that sum to ``total``."""
    return [0, *parts, total - sum(parts), 0]
