"""A prompt of 262,144 tokens on a CPU: resident memory against position, in chunks.

    python -m benchmarks.jamba.memory

Memory should be constant except for keys and values, whose bytes are computed beforehand.
Weights are random: neither time nor memory depends on them. What the released models would keep
is computed from their shapes, without making them.
"""

import argparse
import os
import shlex
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from benchmarks.jamba.models import randomise
from benchmarks.resident_memory import MIB, forget_peak, peak_bytes, resident_bytes
from jamba_reader.cache.cache import Cache
from jamba_reader.cache.size import history_bytes, key_value_bytes, state_bytes
from jamba_reader.config import JambaConfig
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments
from jamba_reader.presets import jamba_3b, jamba_large, jamba_mini
from spider.artifacts.atomic_files import write_json
from spider.artifacts.provenance import provenance

TOKENS = 262_144
SHAPE = JambaConfig(
    vocab_size=1024,
    hidden_size=256,
    intermediate_size=512,
    num_hidden_layers=8,
    num_attention_heads=4,
    num_key_value_heads=1,
    num_experts=4,
    num_experts_per_tok=2,
    mamba_dt_rank=16,
)


class Sample(NamedTuple):
    """Resident memory after a number of tokens."""

    tokens: int
    seconds: float
    resident: int
    key_values: int


def read(
    model: JambaLanguageModel, cache: Cache, tokens: int, chunk: int, warm: int
) -> list[Sample]:
    """Read random tokens chunk by chunk, the first ``warm`` of them untimed; sample after each."""
    draw = torch.Generator().manual_seed(0)
    samples: list[Sample] = []
    start = time.perf_counter()
    while (done := cache.lengths[0]) < tokens:
        ids = torch.randint(model.config.vocab_size, (min(chunk, tokens - done),), generator=draw)
        model.hidden_states(ids, Segments([len(ids)]), cache)
        held = key_value_bytes(model.config, cache.lengths[0], model.dtype.itemsize)
        if done < warm:
            start = time.perf_counter()
        seconds = time.perf_counter() - start
        samples.append(Sample(cache.lengths[0], seconds, resident_bytes(), held))
    return samples


def slope(samples: Sequence[Sample]) -> float:
    """Return bytes a token by which resident memory less keys and values grows (least squares)."""
    return statistics.linear_regression(
        [sample.tokens for sample in samples],
        [sample.resident - sample.key_values for sample in samples],
    ).slope


def measure(dtype: torch.dtype, tokens: int, chunk: int) -> dict[str, Any]:
    """Read the prompt; return its memory and time."""
    model = JambaLanguageModel(SHAPE, dtype=dtype).eval()
    randomise(model, seed=0)
    warm = min(4 * chunk, tokens // 2)
    forget_peak()
    loaded = resident_bytes()
    cache = model.new_cache(1, tokens)
    samples = read(model, cache, tokens, chunk, warm)
    peak = peak_bytes()
    measured = [sample for sample in samples if sample.tokens >= warm]
    rest = [sample.resident - sample.key_values for sample in measured]
    first, last = measured[0], measured[-1]
    stored = sum(m.keys.nbytes + m.values.nbytes for m in cache.memories.values())
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "dtype": str(dtype).removeprefix("torch."),
        "tokens": tokens,
        "chunk_tokens": chunk,
        "loaded_resident_mib": round(loaded / MIB, 1),
        "peak_resident_mib": round(peak / MIB, 1),
        "key_values_computed_bytes": key_value_bytes(SHAPE, tokens, dtype.itemsize),
        "key_values_stored_bytes": stored,
        "states_computed_bytes": state_bytes(SHAPE) + history_bytes(SHAPE, 1, dtype.itemsize),
        "states_stored_bytes": sum(m.state.nbytes + m.history.nbytes for m in cache.mamba.values()),
        "rest_lowest_mib": round(min(rest) / MIB, 2),
        "rest_highest_mib": round(max(rest) / MIB, 2),
        "rest_growth_bytes_per_token": round(slope(measured), 2),
        "seconds_after_warm_up": round(last.seconds, 2),
        "tokens_per_s": round((last.tokens - first.tokens) / last.seconds, 1),
        "samples": [
            {
                "tokens": sample.tokens,
                "seconds": round(sample.seconds, 2),
                "resident_mib": round(sample.resident / MIB, 2),
                "key_values_mib": round(sample.key_values / MIB, 2),
            }
            for sample in samples[:: max(1, len(samples) // 32)]
        ],
    }


def released() -> dict[str, dict[str, float]]:
    """Return what a sequence of 262,144 tokens keeps in the released models, in bfloat16."""
    models = {"mini": jamba_mini(), "large": jamba_large(), "3b": jamba_3b()}
    return {
        name: {
            "key_value_bytes_per_token": key_value_bytes(config, 1),
            "key_values_gib": key_value_bytes(config, TOKENS) / 1024**3,
            "states_mib": state_bytes(config) / MIB,
            "histories_mib": history_bytes(config) / MIB,
        }
        for name, config in models.items()
    }


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tokens", type=int, default=TOKENS)
    parser.add_argument("--chunk-tokens", type=int, default=2048)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, default=Path("benchmarks/results/jamba_memory.json"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    load = os.getloadavg()[0]
    result = measure(getattr(torch, options.dtype), options.tokens, options.chunk_tokens)
    record = {
        "command": f"python -m benchmarks.jamba.memory {shlex.join(sys.argv[1:])}".strip(),
        "made": provenance(),
        "load_average_before": load,
        "threads": options.threads,
        **result,
        "released_models_at_262144_tokens": released(),
    }
    write_json(options.output, record)
    print("\n".join(f"{name}: {value}" for name, value in result.items() if name != "samples"))


if __name__ == "__main__":
    main()
