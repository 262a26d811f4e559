"""The states of a model's layers: empty ones, and whether they fit a model or each other."""

from collections.abc import Mapping

import torch

from jamba_reader.cache.mamba_state import MambaState
from jamba_reader.config import JambaConfig
from jamba_reader.ops.attention.key_value_memory import KeyValueMemory
from jamba_reader.ops.operand_checks import casts


def empty_layers(
    config: JambaConfig,
    sequences: int,
    dtype: torch.dtype,
    device: torch.device | str,
    capacity: int,
) -> tuple[dict[int, MambaState], dict[int, KeyValueMemory]]:
    """Return the empty states of all layers, by the index of the layer in the model.

    Args:
        config: shape of the model.
        sequences: number of sequences.
        dtype: data type of keys, values and convolution inputs: that of the model.
        device: device of the tensors.
        capacity: number of tokens of each sequence to reserve space for.

    Returns:
        The states of the Mamba layers, and the keys and values of the attention layers.
    """
    state_dtype = torch.promote_types(torch.float32, dtype)
    mamba, memories = {}, {}
    for layer, mixer in enumerate(config.mixers):
        if mixer == "mamba":
            channels = config.inner_size
            state = (sequences, channels, config.mamba_d_state)
            history = (sequences, config.mamba_d_conv - 1, channels)
            mamba[layer] = MambaState(
                torch.zeros(state, dtype=state_dtype, device=device),
                torch.zeros(history, dtype=dtype, device=device),
            )
        else:
            memories[layer] = KeyValueMemory.empty(
                sequences,
                config.num_key_value_heads,
                config.head_dim,
                dtype=dtype,
                device=device,
                capacity=capacity,
            )
    return mamba, memories


def fit(
    mamba: Mapping[int, MambaState],
    memories: Mapping[int, KeyValueMemory],
    config: JambaConfig,
    sequences: int,
) -> bool:
    """Return whether the states have the shapes of this model's layers."""
    inner = config.inner_size
    state = (sequences, inner, config.mamba_d_state)
    history = (sequences, config.mamba_d_conv - 1, inner)
    heads = (sequences, config.num_key_value_heads, config.head_dim)
    fits = len(mamba) + len(memories) == len(config.mixers)
    for layer, mixer in enumerate(config.mixers):
        if mixer == "mamba":
            old = mamba.get(layer)
            fits &= old is not None and (old.state.shape, old.history.shape) == (state, history)
        else:
            memory = memories.get(layer)
            fits &= memory is not None and all(
                (t.shape[0], t.shape[1], t.shape[3]) == heads for t in (memory.keys, memory.values)
            )
    return fits


def misplaced(
    mamba: Mapping[int, MambaState],
    memories: Mapping[int, KeyValueMemory],
    dtype: torch.dtype,
    device: torch.device,
) -> str | None:
    """Return what has another data type or device than a model's states; None if nothing.

    Under autocast only devices are compared, because layers then compute in another data type.
    """
    found = [
        ("the state", t.state, torch.promote_types(torch.float32, dtype)) for t in mamba.values()
    ]
    found += [("the convolution's input", t.history, dtype) for t in mamba.values()]
    found += [("the keys", t.keys, dtype) for t in memories.values()]
    found += [("the values", t.values, dtype) for t in memories.values()]
    cast = casts(device)
    for name, tensor, expected in found:
        if tensor.device != device or (tensor.dtype != expected and not cast):
            return f"{name}: {tensor.dtype} on {tensor.device}, expected {expected} on {device}"
    return None


def kind_of(
    mamba: Mapping[int, MambaState], memories: Mapping[int, KeyValueMemory]
) -> tuple[object, ...]:
    """Return the properties that states must share to be stacked: shapes, data types, devices."""
    tensors = [t for layer in mamba.values() for t in (layer.state, layer.history)]
    states = tuple((t.shape[1:], t.dtype, t.device) for t in tensors)
    keys = [memory.keys for memory in memories.values()]
    heads = tuple((t.shape[1], t.shape[3], t.dtype, t.device) for t in keys)
    return tuple(mamba), states, tuple(memories), heads
