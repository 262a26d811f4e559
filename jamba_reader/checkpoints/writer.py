"""Writes safetensors one tensor at a time, so that at most one of them is in memory.

A file consists of the length of its header (8 bytes, little-endian), the header (JSON: data type,
shape and offsets of each tensor), and the bytes of the tensors
(https://huggingface.co/docs/safetensors). Data types and shapes are known before, so the header can
be written first.
"""

import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import torch
from torch import Tensor

from jamba_reader.checkpoints.files import CONFIG, INDEX, SINGLE
from jamba_reader.checkpoints.names import TensorSpec
from spider.artifacts.atomic_files import write_atomically, write_json
from spider.errors import ConfigError
from spider.progress import Progress

SHARD_BYTES = 5_000_000_000
#: names of the data types in safetensors
CODES = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int8: "I8",
}  # fmt: skip
ALIGNMENT = 8


class Outgoing(NamedTuple):
    """A tensor to write.

    Attributes:
        spec: its name and shape.
        dtype: its data type.
    """

    spec: TensorSpec
    dtype: torch.dtype

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return self.spec.elements * self.dtype.itemsize


def plan_shards(
    tensors: Iterable[Outgoing], *, max_shard_bytes: int = SHARD_BYTES
) -> dict[str, list[Outgoing]]:
    """Distribute tensors over files, in order; a tensor larger than a shard gets its own file.

    Raises:
        ConfigError: the size of a shard is not positive.
    """
    if max_shard_bytes < 1:
        raise ConfigError(f"max_shard_bytes={max_shard_bytes}: expected at least 1")
    groups: list[list[Outgoing]] = []
    free = 0
    for tensor in tensors:
        if not groups or tensor.nbytes > free:
            groups.append([])
            free = max_shard_bytes
        groups[-1].append(tensor)
        free -= tensor.nbytes
    if len(groups) == 1:
        return {SINGLE: groups[0]}
    return {
        f"model-{number:05d}-of-{len(groups):05d}.safetensors": group
        for number, group in enumerate(groups, start=1)
    }


def write_checkpoint(
    folder: Path,
    config: Mapping[str, Any],
    tensors: Iterable[Outgoing],
    produce: Callable[[str], Tensor],
    *,
    max_shard_bytes: int = SHARD_BYTES,
    resume: bool = False,
    label: str = "save",
) -> int:
    """Write shards, their index and, last, ``config.json``: a folder that has it is complete.

    Weights that the folder contained before are replaced.

    Args:
        folder: created if it does not exist.
        config: contents of ``config.json``.
        tensors: the tensors to write, in order.
        produce: returns the tensor of a name; called once for each tensor, in order.
        max_shard_bytes: largest size of a file, unless one tensor is larger.
        resume: keep the shards that an interrupted call wrote from the same source.
        label: label of the progress line.

    Returns:
        Size of all tensors in bytes.
    """
    shards = plan_shards(tensors, max_shard_bytes=max_shard_bytes)
    total = sum(tensor.nbytes for group in shards.values() for tensor in group)
    folder.mkdir(parents=True, exist_ok=True)
    _clear(folder, kept=shards if resume else ())
    with Progress(total=total >> 20, unit="MiB", label=label) as progress:
        for name, group in shards.items():
            if not (folder / name).is_file():
                write_shard(folder / name, group, produce)
            progress.advance(sum(tensor.nbytes for tensor in group) >> 20)
    if len(shards) > 1:
        places = {t.spec.name: name for name, group in shards.items() for t in group}
        index = {"metadata": {"total_size": total}, "weight_map": places}
        write_json(folder / INDEX, index)
    write_json(folder / CONFIG, dict(config))
    return total


def _clear(folder: Path, *, kept: Container[str]) -> None:
    """Remove the files of an earlier checkpoint, and those that a killed call left unfinished."""
    torn = (".model*.tmp", f".{CONFIG}.*.tmp")
    for pattern in (CONFIG, INDEX, SINGLE, "model-*-of-*.safetensors", *torn):
        for file in folder.glob(pattern):
            if file.name not in kept:
                file.unlink()


def write_shard(path: Path, tensors: Sequence[Outgoing], produce: Callable[[str], Tensor]) -> None:
    """Write one file, completely or not at all.

    Args:
        path: the file.
        tensors: its tensors, in order.
        produce: returns the tensor of a name.
    """
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    place = 0
    for tensor in tensors:
        header[tensor.spec.name] = {
            "dtype": CODES[tensor.dtype],
            "shape": list(tensor.spec.shape),
            "data_offsets": [place, place + tensor.nbytes],
        }
        place += tensor.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)

    def write(file: BinaryIO) -> None:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for tensor in tensors:
            values = produce(tensor.spec.name).detach().to("cpu", tensor.dtype).contiguous()
            file.write(values.view(torch.uint8).numpy().data)

    write_atomically(path, write)
