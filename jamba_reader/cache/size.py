"""How many bytes a cache takes, computed from the shape of the model alone.

Attention layers: 2 · kv_heads · head_dim numbers a token. Mamba layers: d_inner · d_state numbers
of float32 and d_inner · (d_conv - 1) of the model's type, whatever the length. Jamba-1.5-Mini in
bfloat16 takes 16,384 bytes a token, hence 4 GiB at 256K tokens (Jamba-1.5, arXiv:2408.12570,
table 1), and 14 MiB of states.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from jamba_reader.config import JambaConfig
from spider.errors import ConfigError
from spider.memory import in_words


def key_value_bytes(config: JambaConfig, tokens: int, itemsize: int = 2) -> int:
    """Return the bytes of keys and values.

    Args:
        config: shape of the model.
        tokens: of all sequences together.
        itemsize: bytes of a number.
    """
    numbers = 2 * config.num_key_value_heads * config.head_dim
    return config.mixers.count("attention") * numbers * itemsize * tokens


def state_bytes(config: JambaConfig, sequences: int = 1) -> int:
    """Return the bytes of the Mamba layers' states, float32."""
    numbers = config.inner_size * config.mamba_d_state
    return config.mixers.count("mamba") * numbers * torch.float32.itemsize * sequences


def history_bytes(config: JambaConfig, sequences: int = 1, itemsize: int = 2) -> int:
    """Return the bytes of the Mamba layers' convolution inputs.

    Args:
        config: shape of the model.
        sequences: how many.
        itemsize: bytes of a number.
    """
    numbers = config.inner_size * (config.mamba_d_conv - 1)
    return config.mixers.count("mamba") * numbers * itemsize * sequences


@contextmanager
def allocating(
    sequences: int, tokens: int, size: int, device: torch.device | str
) -> Iterator[None]:
    """Say what was asked for where PyTorch's allocator fails.

    Raises:
        ConfigError: it failed, or what was asked for is less than nothing.
    """
    if sequences < 0 or tokens < 0:
        raise ConfigError(
            f"a cache with room for {sequences:,} x {tokens:,} tokens: expected none below 0"
        )
    try:
        yield
    except (RuntimeError, TypeError) as error:
        # a number beyond 64 bits is PyTorch's TypeError
        raise ConfigError(
            f"a cache with room for {sequences} x {tokens:,} tokens takes {in_words(size)} "
            f"({size:,} bytes), more than {device} gives; make room for fewer"
        ) from error
