"""One library's Jamba in a process of its own: reads tasks from standard input, answers in JSON.

Run by ``benchmarks.jamba.speed``; each library and data type has its own process, so that the
peak of resident memory is its own, and all are alive together, so that their tasks can take turns.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from benchmarks.resident_memory import MIB, forget_peak, peak_bytes, resident_bytes

CHUNK_TOKENS = 2048


class Reader(Protocol):
    """A model that reads a prompt and then token by token."""

    def prefill(self, ids: Tensor, new_tokens: int) -> tuple[Tensor, Any]:
        """Return the last logits and the state; ``new_tokens`` more tokens will come."""

    def step(self, token: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Return the logits after one more token and the state."""


class Ours:
    """This package's model."""

    def __init__(self, values: dict[str, Any], weights: dict[str, Tensor], dtype: torch.dtype):
        from jamba_reader.config import JambaConfig
        from jamba_reader.model.model import JambaLanguageModel

        config = JambaConfig.from_mapping({"model_type": "jamba", **values})
        self.model = JambaLanguageModel(config, dtype=dtype).eval()
        self.model.load_state_dict(weights)

    def prefill(self, ids: Tensor, new_tokens: int) -> tuple[Tensor, Any]:
        """Read in chunks."""
        cache = self.model.new_cache(1, len(ids) + new_tokens)
        return self.model.prefill([ids.tolist()], cache, chunk_tokens=CHUNK_TOKENS)[0], cache

    def step(self, token: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Read one token."""
        return self.model.step(token, state)[0], state


class Transformers:
    """transformers' model, with its own choice of kernels and torch's fused attention."""

    def __init__(self, values: dict[str, Any], weights: dict[str, Tensor], dtype: torch.dtype):
        from transformers import JambaConfig, JambaForCausalLM

        config = JambaConfig(**values)
        config._attn_implementation = "sdpa"
        self.model = JambaForCausalLM(config).to(dtype).eval()
        self.model.load_state_dict(weights)

    def prefill(self, ids: Tensor, new_tokens: int) -> tuple[Tensor, Any]:
        """Read at once: transformers continues a cache wrongly by several tokens."""
        output = self.model(ids[None], use_cache=True, logits_to_keep=1)
        return output.logits[0, -1], output.past_key_values

    def step(self, token: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Read one token."""
        output = self.model(token[None], past_key_values=state, use_cache=True, logits_to_keep=1)
        return output.logits[0, -1], output.past_key_values


LIBRARIES: dict[str, Callable[..., Reader]] = {"ours": Ours, "transformers": Transformers}


class Worker:
    """Answers tasks.

    Args:
        reader: the model.
        vocabulary: number of token ids.
    """

    def __init__(self, reader: Reader, vocabulary: int):
        self.reader = reader
        self.vocabulary = vocabulary
        self._replays: dict[int, tuple[Any, Any]] = {}

    def prefill(self, tokens: int) -> dict[str, Any]:
        """Time a prefill; peak memory is what this process had at most while it ran."""
        ids = self._ids(tokens)
        forget_peak()
        before, start = resident_bytes(), time.perf_counter()
        logits, _ = self.reader.prefill(ids, 0)
        seconds = time.perf_counter() - start
        return {
            "seconds": seconds,
            "peak_mib": peak_bytes() / MIB,
            "peak_above_before_mib": (peak_bytes() - before) / MIB,
            "logits": logits.float().tolist(),
        }

    def decode(self, prompt: int, tokens: int) -> dict[str, Any]:
        """Time ``tokens`` steps after a prompt; the best token is read each time."""
        logits, state = self.reader.prefill(self._ids(prompt), tokens)
        start = time.perf_counter()
        for _ in range(tokens):
            logits, state = self.reader.step(logits.argmax()[None], state)
        return {"seconds": time.perf_counter() - start}

    def products(self, tokens: int) -> dict[str, Any]:
        """Time the matrix products of our prefill, and its attention, each alone."""
        if tokens not in self._replays:
            self._replays[tokens] = self._prepare(tokens)
        replay, attention = self._replays[tokens]
        start = time.perf_counter()
        replay.run()
        middle = time.perf_counter()
        attention.run()
        end = time.perf_counter()
        return {
            "seconds": middle - start,
            "attention_seconds": end - middle,
            "flops": replay.flops,
        }

    def _prepare(self, tokens: int) -> tuple[Any, Any]:
        from benchmarks.jamba.products import AttentionReplay, Replay, expert_loads, products

        assert isinstance(self.reader, Ours)
        model, chunk = self.reader.model, min(CHUNK_TOKENS, tokens)
        loads = expert_loads(model, self._ids(tokens), chunk)
        replay = Replay(products(model, tokens, chunk, loads))
        attention = AttentionReplay(model, tokens)
        replay.run()
        attention.run()
        return replay, attention

    def _ids(self, tokens: int) -> Tensor:
        draw = torch.Generator().manual_seed(tokens)
        return torch.randint(self.vocabulary, (tokens,), generator=draw)


def main() -> None:
    """Load, say so, then answer one task a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", choices=list(LIBRARIES), required=True)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    from safetensors.torch import load_file

    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    values = json.loads((options.folder / "config.json").read_text(encoding="utf-8"))
    dtype: torch.dtype = getattr(torch, options.dtype)
    weights = {
        name: value.to(dtype)
        for name, value in load_file(options.folder / "weights.safetensors").items()
    }
    worker = Worker(LIBRARIES[options.library](values, weights, dtype), values["vocab_size"])
    del weights
    forget_peak()
    answers = sys.stdout
    sys.stdout = sys.stderr  # output of the libraries must not mix with the answers
    print(json.dumps({"resident_mib": resident_bytes() / MIB}), file=answers, flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        answer = getattr(worker, task.pop("task"))(**task)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
