"""The size of a cache in bytes, computed from the shape of the model.

An attention layer needs 2 · kv_heads · head_dim numbers for each token. A Mamba layer needs
d_inner · d_state numbers in float32 and d_inner · (d_conv - 1) in the model's data type, whatever
the length. Jamba-1.5-Mini in bfloat16 needs 16,384 bytes for each token, hence 4 GiB at 256K tokens
(Jamba-1.5, arXiv:2408.12570, table 1), and 14 MiB of states.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from jamba_reader.config import JambaConfig
from spider.errors import ConfigError
from spider.memory import in_words


def key_value_bytes(config: JambaConfig, tokens: int, itemsize: int = 2) -> int:
    """Return the size of keys and values in bytes.

    Args:
        config: shape of the model.
        tokens: number of tokens of all sequences together.
        itemsize: size of a number in bytes.
    """
    numbers = 2 * config.num_key_value_heads * config.head_dim
    return config.mixers.count("attention") * numbers * itemsize * tokens


def state_bytes(config: JambaConfig, sequences: int = 1) -> int:
    """Return the size of the Mamba layers' states in bytes; they are float32."""
    numbers = config.inner_size * config.mamba_d_state
    return config.mixers.count("mamba") * numbers * torch.float32.itemsize * sequences


def history_bytes(config: JambaConfig, sequences: int = 1, itemsize: int = 2) -> int:
    """Return the size of the Mamba layers' convolution inputs in bytes.

    Args:
        config: shape of the model.
        sequences: number of sequences.
        itemsize: size of a number in bytes.
    """
    numbers = config.inner_size * (config.mamba_d_conv - 1)
    return config.mixers.count("mamba") * numbers * itemsize * sequences


@contextmanager
def allocating(
    sequences: int, tokens: int, size: int, device: torch.device | str
) -> Iterator[None]:
    """Name the requested size when PyTorch's allocator fails.

    Raises:
        ConfigError: the allocation failed, or a requested number is negative.
    """
    if sequences < 0 or tokens < 0:
        raise ConfigError(
            f"a cache for {sequences:,} x {tokens:,} tokens: expected no number below 0"
        )
    try:
        yield
    except (RuntimeError, TypeError) as error:
        # PyTorch raises TypeError for a number that needs more than 64 bits
        raise ConfigError(
            f"a cache for {sequences} x {tokens:,} tokens needs {in_words(size)} ({size:,} bytes), "
            f"more than {device} can allocate; reserve space for fewer tokens"
        ) from error
