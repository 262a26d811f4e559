"""Part ``prefill``: long prompts and decoding of a small model, against transformers.

transformers runs its own kernels where ``mamba-ssm`` and ``causal-conv1d`` are installed, else its
loop over tokens, which needs several tensors of [tokens, channels, states] at once: what does not
fit or takes too long is recorded as such.
"""

import time
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from benchmarks.jamba.models import gap, our_model, transformers_model
from benchmarks.jamba_gpu.run import Place, Results, draw, forget_peak, peak_gib
from jamba_reader.cache.size import key_value_bytes
from jamba_reader.model.model import JambaLanguageModel

SHAPE = {
    "vocab_size": 32_000,
    "hidden_size": 1024,
    "intermediate_size": 2816,
    "num_hidden_layers": 8,
    "num_attention_heads": 16,
    "num_key_value_heads": 4,
    "num_experts": 4,
    "num_experts_per_tok": 2,
}
DRY = {
    **SHAPE,
    "vocab_size": 64,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "attn_layer_period": 2,
    "attn_layer_offset": 1,
    "mamba_d_state": 4,
}
TOKENS = (4096, 32_768, 131_072, 262_144)
#: transformers' loop is timed up to here; its memory at 131,072 would be some 50 GiB
THEIR_TOKENS = (4096, 32_768)
CHUNK = 8192
DECODED = 64


def run(place: Place, results: Results) -> None:
    """Compare logits, then time ours and theirs."""
    results.record["transformers_kernels"] = find_spec("mamba_ssm") is not None
    theirs = transformers_model(place.choose(SHAPE, DRY), seed=0, attention="sdpa")
    exact = our_model(theirs, kernels=place.kernels).to(place.device)
    theirs = theirs.to(place.device)
    results.step("logits float32", partial(_logits, place, exact, theirs))
    ours = exact.to(torch.bfloat16)
    theirs = theirs.to(torch.bfloat16)
    for tokens in place.choose(TOKENS, (12,)):
        results.step(f"ours {tokens}", partial(_ours, place, ours, tokens))
    for tokens in place.choose(THEIR_TOKENS, (12,)):
        results.step(f"transformers {tokens}", partial(_theirs, place, theirs, tokens))


def ids(place: Place, tokens: int) -> Tensor:
    """Return random token ids."""
    vocabulary = place.choose(SHAPE, DRY)["vocab_size"]
    source = draw(place, tokens)
    return torch.randint(vocabulary, (tokens,), device=place.device, generator=source)


def _logits(place: Place, ours: JambaLanguageModel, theirs: Any) -> dict[str, Any]:
    prompt = ids(place, place.choose(1000, 6))
    expected = theirs(prompt[None], use_cache=False, logits_to_keep=1).logits[0, -1]
    cache = ours.new_cache(1)
    found = ours.prefill([prompt.tolist()], cache, chunk_tokens=place.choose(300, 4))[0]
    difference = gap(found, expected)
    # torch's float32 products on a GPU differ in the order of their sums only (no tf32)
    return {"gap": difference, "passed": difference < 2e-4}


def read_and_write(
    place: Place, model: JambaLanguageModel, prompt: list[int], chunk: int, more: int
) -> dict[str, Any]:
    """Time one prefill in chunks and ``more`` tokens after it; report the most memory used."""
    forget_peak(place)
    before = peak_gib(place)
    cache = model.new_cache(1, len(prompt) + more)
    place.wait()
    start = time.perf_counter()
    logits = model.prefill([prompt], cache, chunk_tokens=chunk)
    place.wait()
    middle = time.perf_counter()
    peak, finite = peak_gib(place), bool(logits.isfinite().all())
    for _ in range(more):
        logits = model.step(logits.argmax(dim=-1), cache)
    place.wait()
    end = time.perf_counter()
    itemsize = model.dtype.itemsize
    return {
        "tokens": len(prompt),
        "chunk_tokens": chunk,
        "prefill_seconds": middle - start,
        "prefill_tokens_per_s": len(prompt) / (middle - start),
        "decode_tokens_per_s": more / (end - middle),
        "weights_gib": before,
        "peak_gib": peak,
        "key_values_gib": key_value_bytes(model.config, len(prompt), itemsize) / 1024**3,
        "passed": finite and bool(logits.isfinite().all()),
    }


def _ours(place: Place, model: JambaLanguageModel, tokens: int) -> dict[str, Any]:
    chunk, more = place.choose((CHUNK, DECODED), (5, 2))
    prompt = ids(place, tokens).tolist()
    read_and_write(place, model, prompt[: 2 * chunk + 1], chunk, place.choose(8, 1))  # compiles
    return read_and_write(place, model, prompt, chunk, more)


def _theirs(place: Place, model: Any, tokens: int) -> dict[str, Any]:
    more = place.choose(DECODED, 2)
    prompt = ids(place, tokens)[None]
    model(prompt[:, : place.choose(64, 3)], use_cache=True)
    forget_peak(place)
    place.wait()
    start = time.perf_counter()
    output = model(prompt, use_cache=True, logits_to_keep=1)
    place.wait()
    middle, peak = time.perf_counter(), peak_gib(place)
    for _ in range(more):
        token = output.logits[:, -1:].argmax(dim=-1)
        output = model(token, past_key_values=output.past_key_values, use_cache=True)
    place.wait()
    return {
        "tokens": tokens,
        "prefill_seconds": middle - start,
        "prefill_tokens_per_s": tokens / (middle - start),
        "decode_tokens_per_s": more / (time.perf_counter() - middle),
        "peak_gib": peak,
    }
