"""Part ``mini``: Jamba-1.5-Mini's shape with int8 experts reads 256K tokens on one 80 GB card.

Weights are random and made on the GPU tensor by tensor, the experts' directly in int8: 54.1 GiB.
Time and memory are a real checkpoint's; what it writes is noise.
"""

import time
from functools import partial
from typing import Any

import torch

from benchmarks.jamba_gpu.prefill import read_and_write
from benchmarks.jamba_gpu.run import Place, Results, draw, forget_peak, peak_gib
from jamba_reader.config import JambaConfig
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.presets import jamba_mini

TOKENS = (4096, 32_768, 131_072, 262_144)
CHUNK = 8192
DECODED = 32


def run(place: Place, results: Results) -> None:
    """Make the model, then read longer and longer prompts."""
    sizes = place.choose(TOKENS, (9,))
    if all(results.succeeded(f"{tokens} tokens") for tokens in sizes):
        return
    begun = time.monotonic()
    forget_peak(place)
    model = make(place)
    place.wait()
    made = {
        "seconds": time.monotonic() - begun,
        "peak_gib": peak_gib(place),
        "weight_bytes": sum(value.nbytes for value in model.state_dict().values()),
    }
    results.step("weights", lambda: made)
    chunk, more = place.choose((CHUNK, DECODED), (4, 2))
    read_and_write(place, model, _prompt(place, 2 * chunk + 1), chunk, 2)  # compiles
    for tokens in sizes:
        work = partial(read_and_write, place, model, _prompt(place, tokens), chunk, more)
        results.step(f"{tokens} tokens", work)


def make(place: Place) -> JambaLanguageModel:
    """Return the model with every weight drawn in place."""
    model = JambaLanguageModel(
        _config(place),
        kernels=place.kernels,
        device=place.device,
        dtype=torch.bfloat16,
        quantization=ExpertsInt8(),
    ).eval()
    source = draw(place, 0)
    for name, value in model.state_dict().items():
        if value.dtype == torch.int8:
            value.random_(-127, 128, generator=source)
        elif name.endswith("_scale"):
            columns = model.config.intermediate_size if "down" in name else model.config.hidden_size
            value.fill_(columns**-0.5 / 73)  # integers up to 127 have a deviation of 73
        elif name.endswith("dt_proj.bias"):
            value.uniform_(-4.5, 0.5, generator=source)
        elif value.ndim > 1 and not name.endswith("A_log"):
            value.normal_(std=value.shape[-1] ** -0.5, generator=source)
    return model


def _config(place: Place) -> JambaConfig:
    tiny: dict[str, Any] = {
        "vocab_size": 640,
        "hidden_size": 16,
        "intermediate_size": 24,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "num_experts": 2,
        "attn_layer_period": 2,
        "attn_layer_offset": 0,
        "mamba_d_state": 4,
        "mamba_dt_rank": 2,
    }
    return jamba_mini(**place.choose({}, tiny))


def _prompt(place: Place, tokens: int) -> list[int]:
    source = torch.Generator().manual_seed(tokens)
    vocabulary = _config(place).vocab_size
    prompt: list[int] = torch.randint(vocabulary, (tokens,), generator=source).tolist()
    return prompt
