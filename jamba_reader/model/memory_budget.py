"""What a model and its prompts will take, told before they are read: refused with numbers."""

from typing import NamedTuple

import torch

from jamba_reader.cache.size import history_bytes, key_value_bytes, state_bytes
from jamba_reader.checkpoints.files import dtype_name
from jamba_reader.checkpoints.names import tensor_specs
from jamba_reader.config import JambaConfig
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from spider.errors import ConfigError
from spider.memory import MIB, available_memory, in_words

WORKING_MEMORY = 256 * MIB
"""Scratch of kernels and libraries."""

HEAP_FACTOR = 3
"""Memory of a CPU process over the tensors alive in it: the C library keeps freed blocks in pieces
(measured: 2.4 to 2.7 times, at 2,048 and 8,192 tokens a chunk)."""

FLOAT32 = 4


class MemoryNeeds(NamedTuple):
    """Bytes that reading prompts takes.

    Attributes:
        weights: of the model.
        key_values: keys and values of every token in every attention layer.
        states: of Mamba layers; whatever the length.
        activations: of one chunk in the widest layer, and the logits.
    """

    weights: int
    key_values: int
    states: int
    activations: int

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self)


def weight_bytes(
    config: JambaConfig, dtype: torch.dtype, quantization: ExpertsInt8 | None = None
) -> int:
    """Return the size of the weights."""
    sizes = {"float": dtype.itemsize, "int8": 1, "scale": FLOAT32}
    specs = tensor_specs(config, quantization).values()
    return sum(spec.elements * sizes[spec.kind] for spec in specs)


def memory_needs(
    config: JambaConfig,
    *,
    sequences: int,
    tokens: int,
    dtype: torch.dtype,
    chunk_tokens: int,
    device: torch.device | str = "cpu",
    quantization: ExpertsInt8 | None = None,
    branches: int = 0,
) -> MemoryNeeds:
    """Compute what reading prompts takes, and generating from them.

    Args:
        config: shape of the model.
        sequences: prompts read together.
        tokens: of the longest of them, with what will be generated after it.
        dtype: of weights and activations.
        chunk_tokens: tokens in a call of the model, over all sequences.
        device: where the model is.
        quantization: which weights are int8.
        branches: continuations of each prompt; 0 if there will be none.
    """
    sequences *= max(branches, 1)
    # by arithmetic: no tensor, even without memory, has as many numbers as a person may ask for
    key_values = key_value_bytes(config, sequences * tokens, dtype.itemsize)
    states = state_bytes(config, sequences) + history_bytes(config, sequences, dtype.itemsize)
    chunk = min(chunk_tokens, sequences * tokens)
    kept = HEAP_FACTOR if torch.device(device).type == "cpu" else 1
    logits = sequences * config.vocab_size * (dtype.itemsize + FLOAT32) if tokens else 0
    if branches:
        # states before and after a token; logits, penalised, as probabilities, sorted or summed
        states *= 2
        logits += 4 * sequences * config.vocab_size * FLOAT32
    if branches > 1:
        # those that go on are copied while the others are still there
        states += states // 2
        key_values *= 2
    return MemoryNeeds(
        weights=weight_bytes(config, dtype, quantization),
        key_values=key_values,
        states=states,
        activations=kept * chunk * _widest_layer(config) * dtype.itemsize + logits,
    )


def check_memory(
    config: JambaConfig,
    sequences: int,
    tokens: int,
    dtype: torch.dtype,
    device: torch.device | str,
    chunk_tokens: int,
    quantization: ExpertsInt8 | None = None,
    *,
    branches: int = 0,
    weights_loaded: bool = False,
    held_bytes: int = 0,
    available: int | None = None,
) -> MemoryNeeds:
    """Compare what reading prompts takes with what the device has.

    Args:
        config: shape of the model.
        sequences: prompts read together; 0 with 0 tokens checks the weights alone.
        tokens: of the longest of them, with what will be generated after it.
        dtype: of weights and activations.
        device: where the model is.
        chunk_tokens: tokens in a call of the model, over all sequences.
        quantization: which weights are int8.
        branches: continuations of each prompt; 0 if there will be none.
        weights_loaded: the weights are in memory already.
        held_bytes: of keys, values and states that are in memory already.
        available: bytes that can be had; None asks the system, which may not know.

    Raises:
        ConfigError: it takes more than there is; says how many tokens fit.
    """
    needs = memory_needs(
        config,
        sequences=sequences,
        tokens=tokens,
        dtype=dtype,
        chunk_tokens=chunk_tokens,
        device=device,
        quantization=quantization,
        branches=branches,
    )
    free = device_memory(device) if available is None else available
    if free is None:
        return needs
    # what is held already is part of the needs, and no part of what is free
    room = free + held_bytes + (needs.weights if weights_loaded else 0) - WORKING_MEMORY
    if needs.total <= room:
        return needs
    have = f"{in_words(free)} can be had on {device}"
    if not tokens:
        raise ConfigError(
            f"the weights take {in_words(needs.weights)} in {dtype_name(dtype)}, {have}"
            f"{_smaller_weights(config, dtype, quantization)}"
        )
    fitting = _fitting_tokens(needs, room, tokens=tokens, chunk=min(chunk_tokens, tokens))
    parts = ", ".join(
        f"{name.replace('_', ' ')} {in_words(size)}"
        for name, size in needs._asdict().items()
        if not (name == "weights" and weights_loaded)
    )
    raise ConfigError(
        f"{sequences * max(branches, 1)} x {tokens:,} tokens take more memory than there is "
        f"({parts}; {have}); "
        + (f"at most {fitting:,} tokens a sequence fit" if fitting else "no prompt fits")
        + (f"; take fewer than {branches:,} beams or samples" if branches > 1 else "")
    )


def device_memory(device: torch.device | str) -> int | None:
    """Return the bytes that can be had on a device; None if unknown."""
    place = torch.device(device)
    if place.type == "cpu":
        return available_memory()
    if place.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(place)
    # what PyTorch keeps for itself and does not use now can be had too
    unused = torch.cuda.memory_reserved(place) - torch.cuda.memory_allocated(place)
    return int(free) + unused


def _widest_layer(config: JambaConfig) -> int:
    """Return the numbers that a token has in the widest layer while it is computed."""
    hidden, inner, wide = config.hidden_size, config.inner_size, config.intermediate_size
    shared = config.num_key_value_heads * config.head_dim
    low = config.mamba_dt_rank + 2 * config.mamba_d_state
    widths = [3 * wide]
    if "mamba" in config.mixers:
        # x and gate, convolved, dt, B and C before and after their norms, scanned
        widths.append(5 * inner + 2 * low)
    if "attention" in config.mixers:
        # queries, keys, values, and what was mixed: from past and present, in float32
        widths.append(6 * hidden + 2 * shared)
    if any(config.routed):
        # each token once for each of its experts, on the way in, within, and out
        widths.append(config.num_experts_per_tok * (2 * hidden + 3 * wide) + config.num_experts)
    # the residual stream before and after, the normalised one, and the branch
    return max(widths) + 4 * hidden


def _fitting_tokens(needs: MemoryNeeds, room: int, *, tokens: int, chunk: int) -> int:
    """Return the largest number of tokens that fits, to a chunk."""
    left = room - needs.weights - needs.states - needs.activations
    if left < 0:
        return 0
    if needs.key_values == 0:
        return tokens
    fitting = left * tokens // needs.key_values
    return fitting // chunk * chunk if fitting > chunk else fitting


def _smaller_weights(
    config: JambaConfig, dtype: torch.dtype, quantization: ExpertsInt8 | None
) -> str:
    widest = ExpertsInt8(dense=True)
    if quantization == widest:
        return ""
    size = weight_bytes(config, dtype, widest)
    return f"; ExpertsInt8(dense=True) takes {in_words(size)}"
