"""The memory that a model and its prompts need, checked before they are read."""

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
"""Temporary memory of kernels and libraries."""

HEAP_FACTOR = 3
"""Memory of a CPU process divided by the size of its live tensors: the C library keeps freed blocks
(measured: 2.4 to 2.7, with chunks of 2,048 and 8,192 tokens)."""

FLOAT32 = 4


class MemoryNeeds(NamedTuple):
    """The memory that reading prompts needs, in bytes.

    Attributes:
        weights: weights of the model.
        key_values: keys and values of every token in every attention layer.
        states: states of the Mamba layers; independent of the length.
        activations: activations of one chunk in the widest layer, and the logits.
    """

    weights: int
    key_values: int
    states: int
    activations: int

    @property
    def total(self) -> int:
        """The sum."""
        return sum(self)


def weight_bytes(
    config: JambaConfig, dtype: torch.dtype, quantization: ExpertsInt8 | None = None
) -> int:
    """Return the size of the weights in bytes."""
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
    """Compute the memory for reading prompts and generating from them.

    Args:
        config: shape of the model.
        sequences: number of prompts that are read together.
        tokens: length of the longest prompt, with its continuation.
        dtype: data type of weights and activations.
        chunk_tokens: tokens in a call of the model, over all sequences.
        device: device of the model.
        quantization: the int8 weights.
        branches: continuations of each prompt; 0 if there are none.
    """
    sequences *= max(branches, 1)
    # plain arithmetic: even a meta tensor cannot have as many elements as a person may request
    key_values = key_value_bytes(config, sequences * tokens, dtype.itemsize)
    states = state_bytes(config, sequences) + history_bytes(config, sequences, dtype.itemsize)
    chunk = min(chunk_tokens, sequences * tokens)
    kept = HEAP_FACTOR if torch.device(device).type == "cpu" else 1
    logits = sequences * config.vocab_size * (dtype.itemsize + FLOAT32) if tokens else 0
    if branches:
        # states before and after a token; logits, penalised logits, probabilities, sorted or summed
        states *= 2
        logits += 4 * sequences * config.vocab_size * FLOAT32
    if branches > 1:
        # the selected rows are copied while the old ones still exist
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
    """Compare the memory for reading prompts with the memory of the device.

    Args:
        config: shape of the model.
        sequences: number of prompts that are read together; 0 with 0 tokens checks only the
            weights.
        tokens: length of the longest prompt, with its continuation.
        dtype: data type of weights and activations.
        device: device of the model.
        chunk_tokens: tokens in a call of the model, over all sequences.
        quantization: the int8 weights.
        branches: continuations of each prompt; 0 if there are none.
        weights_loaded: whether the weights are in memory already.
        held_bytes: size of the keys, values and states that are in memory already.
        available: available bytes; None asks the system, which may not know.

    Raises:
        ConfigError: there is too little memory; the message gives the number of tokens that fit.
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
    # memory that is allocated already is part of the needs, but not of the free memory
    budget = free + held_bytes + (needs.weights if weights_loaded else 0) - WORKING_MEMORY
    if needs.total <= budget:
        return needs
    have = f"{in_words(free)} are available on {device}"
    if not tokens:
        raise ConfigError(
            f"the weights need {in_words(needs.weights)} in {dtype_name(dtype)}, {have}"
            f"{_smaller_weights(config, dtype, quantization)}"
        )
    fitting = _fitting_tokens(needs, budget, tokens=tokens, chunk=min(chunk_tokens, tokens))
    parts = ", ".join(
        f"{name.replace('_', ' ')} {in_words(size)}"
        for name, size in needs._asdict().items()
        if not (name == "weights" and weights_loaded)
    )
    raise ConfigError(
        f"{sequences * max(branches, 1)} x {tokens:,} tokens need more memory than there is "
        f"({parts}; {have}); "
        + (f"at most {fitting:,} tokens a sequence fit" if fitting else "no prompt fits")
        + (f"; use fewer than {branches:,} beams or samples" if branches > 1 else "")
    )


def device_memory(device: torch.device | str) -> int | None:
    """Return the available bytes of a device; None if unknown."""
    place = torch.device(device)
    if place.type == "cpu":
        return available_memory()
    if place.type != "cuda":
        return None
    free, _ = torch.cuda.mem_get_info(place)
    # memory that PyTorch has reserved but does not use is available too
    unused = torch.cuda.memory_reserved(place) - torch.cuda.memory_allocated(place)
    return int(free) + unused


def _widest_layer(config: JambaConfig) -> int:
    """Return how many numbers a token has in the widest layer during its computation."""
    hidden, inner, wide = config.hidden_size, config.inner_size, config.intermediate_size
    shared = config.num_key_value_heads * config.head_dim
    low = config.mamba_dt_rank + 2 * config.mamba_d_state
    widths = [3 * wide]
    if "mamba" in config.mixers:
        # x and gate, convolution, dt, B and C before and after their norms, scan
        widths.append(5 * inner + 2 * low)
    if "attention" in config.mixers:
        # queries, keys, values, and the outputs: from past and present, in float32
        widths.append(6 * hidden + 2 * shared)
    if any(config.routed):
        # each token once for each of its experts: input, inner activations, output
        widths.append(config.num_experts_per_tok * (2 * hidden + 3 * wide) + config.num_experts)
    # the residual stream before and after, the normalised stream, and the branch
    return max(widths) + 4 * hidden


def _fitting_tokens(needs: MemoryNeeds, budget: int, *, tokens: int, chunk: int) -> int:
    """Return the largest number of tokens that fits, rounded down to whole chunks."""
    left = budget - needs.weights - needs.states - needs.activations
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
    return f"; ExpertsInt8(dense=True) needs {in_words(size)}"
