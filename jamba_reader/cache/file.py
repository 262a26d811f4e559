"""A cache on disk: a safetensors file that records its model and its checksums.

Keys and values are written without reserved space. The last tensor, ``about``, is JSON in bytes:
version, shape of the model, token counts, and a CRC-32 of every other tensor. A second line in it
is the CRC-32 of the first. ``about`` comes last because the checksums are known only then; its size
is known before.
"""

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import safetensors
import torch
from torch import Tensor

from jamba_reader.cache.cache import Cache
from jamba_reader.cache.size import key_value_bytes
from jamba_reader.checkpoints.names import TensorSpec
from jamba_reader.checkpoints.writer import Outgoing, write_shard
from jamba_reader.config import JambaConfig
from spider.errors import CheckpointError, first_line
from spider.reading import open_regular, parse_json

VERSION = 2
ABOUT = "about"
#: the fields of the configuration on which the states depend: more than their shapes
_SHAPE_OF_MODEL = (
    "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "hidden_act", "rms_norm_eps", "num_experts", "num_experts_per_tok",
    "expert_layer_period", "expert_layer_offset", "attn_layer_period", "attn_layer_offset",
    "mamba_d_state", "mamba_d_conv", "mamba_expand", "mamba_dt_rank", "mamba_conv_bias",
    "mamba_proj_bias",
)  # fmt: skip


def save_cache(cache: Cache, path: Path, config: JambaConfig, *, weights: str = "") -> None:
    """Write a cache to a safetensors file.

    At most one sequence of one layer is copied at a time.

    Args:
        cache: the cache.
        path: the file.
        config: shape of the model.
        weights: identifies the weights, for instance by a hash; ``load_cache`` compares it.

    Raises:
        DataError: the last call on the cache failed halfway.
    """
    cache.check_whole()
    sums = dict.fromkeys((name for name, _ in _tensors(cache)), "00000000")
    about = {
        "version": VERSION,
        "config": _shape_of(config),
        "weights": weights,
        "lengths": cache.lengths,
        "dtypes": sorted({str(tensor.dtype) for _, tensor in _tensors(cache)}),
    }
    tensors = dict(_tensors(cache))

    def produce(name: str) -> Tensor:
        if name == ABOUT:
            return _as_bytes({**about, "crc32": sums})
        values = tensors[name].detach().cpu().contiguous()
        sums[name] = _checksum(values)
        return values

    outgoing = [
        Outgoing(TensorSpec(name, tuple(tensor.shape)), tensor.dtype)
        for name, tensor in tensors.items()
    ]
    size = len(_as_bytes({**about, "crc32": sums}))
    write_shard(path, [*outgoing, Outgoing(TensorSpec(ABOUT, (size,)), torch.int8)], produce)


def load_cache(
    path: Path,
    config: JambaConfig,
    *,
    device: torch.device | str = "cpu",
    capacity: int = 0,
    weights: str = "",
) -> Cache:
    """Read a cache that ``save_cache`` wrote.

    Args:
        path: the file.
        config: shape of the model that will use the cache.
        device: device of the cache.
        capacity: tokens of each sequence to reserve space for, at least.
        weights: the value that ``save_cache`` was given.

    Raises:
        CheckpointError: the file is damaged, has another version, or belongs to another model.
    """
    # a pipe would block the library for ever
    open_regular(path, error=CheckpointError).close()
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            about = _about(path, file)
            _check(path, about, config, weights)
            return _read(path, file, about, config, device, capacity)
    except (OSError, safetensors.SafetensorError) as error:
        what = first_line(error)
        raise CheckpointError(f"{path}: not a complete safetensors file ({what})") from None


def _read(
    path: Path,
    file: Any,
    about: dict[str, Any],
    config: JambaConfig,
    device: torch.device | str,
    capacity: int,
) -> Cache:
    lengths, sums = about["lengths"], about["crc32"]
    dtype = _dtype_of(file, config)
    # so that nothing is allocated for a token count that a file of this size cannot hold
    if key_value_bytes(config, sum(lengths), dtype.itemsize) > path.stat().st_size:
        raise _damaged(path, f"it is too small for the {sum(lengths):,} tokens that it claims")
    planned = dict(_tensors(_unfilled(config, lengths, dtype, "meta", 0)))
    if planned.keys() != sums.keys() or planned.keys() != set(file.keys()) - {ABOUT}:
        raise _damaged(path, "its tensors are not those that it lists")
    for name, place in planned.items():
        shape = list(file.get_slice(name).get_shape())
        if shape != list(place.shape):
            raise _damaged(path, f"{name} is {shape}, expected {list(place.shape)}")
    cache = _unfilled(config, lengths, dtype, device, capacity)
    for name, place in _tensors(cache):
        values = file.get_tensor(name)
        if values.dtype != place.dtype:
            raise _damaged(path, f"{name} is {values.dtype}, expected {place.dtype}")
        if _checksum(values) != sums[name]:
            raise _damaged(path, f"the bytes of {name} have changed")
        place.copy_(values)
    return cache


def _unfilled(
    config: JambaConfig,
    lengths: list[int],
    dtype: torch.dtype,
    device: torch.device | str,
    capacity: int,
) -> Cache:
    """Return a cache for that many tokens, whose tensors are not filled yet."""
    cache = Cache.empty(
        config, len(lengths), dtype=dtype, device=device, capacity=max([capacity, *lengths])
    )
    cache.lengths = list(lengths)
    for memory in cache.memories.values():
        memory.lengths = list(lengths)
    return cache


def _tensors(cache: Cache) -> Iterator[tuple[str, Tensor]]:
    """Yield the name and values of every tensor; keys and values without reserved space."""
    for layer, state in sorted(cache.mamba.items()):
        yield f"layers.{layer}.state", state.state
        yield f"layers.{layer}.history", state.history
    for layer, memory in sorted(cache.memories.items()):
        for sequence, length in enumerate(memory.lengths):
            yield f"layers.{layer}.keys.{sequence}", memory.keys[sequence, :, :length]
            yield f"layers.{layer}.values.{sequence}", memory.values[sequence, :, :length]


def _dtype_of(file: Any, config: JambaConfig) -> torch.dtype:
    """Return the data type of the model: that of every tensor except the states."""
    layer = config.mixers.index("mamba") if "mamba" in config.mixers else 0
    name = "history" if "mamba" in config.mixers else "keys.0"
    dtype: torch.dtype = file.get_tensor(f"layers.{layer}.{name}").dtype
    return dtype


def _about(path: Path, file: Any) -> dict[str, Any]:
    if ABOUT not in set(file.keys()):
        raise CheckpointError(f"{path}: not a cache: it has no tensor {ABOUT!r}")
    text, _, checksum = file.get_tensor(ABOUT).numpy().tobytes().rpartition(b"\n")
    if checksum != _checksum_of(text).encode():
        raise _damaged(path, f"the bytes of {ABOUT} have changed")
    try:
        about = parse_json(text, path, error=CheckpointError)
        known = {key: about[key] for key in ("version", "config", "weights", "lengths", "crc32")}
    except (CheckpointError, KeyError, TypeError):
        raise _damaged(path, f"the tensor {ABOUT!r} cannot be read") from None
    for key, kind in (("config", dict), ("crc32", dict), ("lengths", list)):
        if not isinstance(known[key], kind):
            raise _damaged(path, f"{key} is not a {kind.__name__}")
    if any(type(length) is not int or length < 0 for length in known["lengths"]):
        raise _damaged(path, "token counts have to be integers of at least 0")
    return known


def _check(path: Path, about: dict[str, Any], config: JambaConfig, weights: str) -> None:
    if about["version"] != VERSION:
        raise CheckpointError(
            f"{path}: a cache of version {about['version']}, expected {VERSION}; read the tokens "
            "again"
        )
    wanted = _shape_of(config)
    for name, expected in wanted.items():
        got = about["config"].get(name)
        if got != expected:
            raise CheckpointError(
                f"{path}: a cache of another model: {name} is {got}, expected {expected}"
            )
    if about["weights"] != weights:
        raise CheckpointError(
            f"{path}: made with the weights {about['weights']!r}, expected {weights!r}; read the "
            "tokens again"
        )


def _shape_of(config: JambaConfig) -> dict[str, Any]:
    return {name: getattr(config, name) for name in _SHAPE_OF_MODEL}


def _as_bytes(about: dict[str, Any]) -> Tensor:
    text = json.dumps(about).encode()
    whole = bytearray(text + b"\n" + _checksum_of(text).encode())
    return torch.frombuffer(whole, dtype=torch.int8)


def _checksum(values: Tensor) -> str:
    return _checksum_of(values.contiguous().view(torch.uint8).numpy().data)


def _checksum_of(written: bytes | memoryview) -> str:
    return f"{zlib.crc32(written):08x}"


def _damaged(path: Path, what: str) -> CheckpointError:
    return CheckpointError(f"{path}: a damaged cache: {what}; read the tokens again")
