"""ExpertsInt8 on disk: a checkpoint becomes an int8 one, tensor by tensor.

An int8 checkpoint has the hub's names. Each weight that is int8, ``NAME.weight`` of type I8, is
followed by its scales, ``NAME.weight_scale`` of type F32, one for each row: the weight is
``int8 * scale[:, None]``. ``config.json`` says so under ``quantization_config``:
``{"quant_method": "experts_int8", "dense": false}``, where ``dense`` tells whether the feed-forward
parts of layers without experts are int8 too. CPU and GPU read the same files.
"""

import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from jamba_reader.checkpoints.files import CONFIG, config_mapping, dtype_name
from jamba_reader.checkpoints.names import SCALE, tensor_specs
from jamba_reader.checkpoints.stored import Checkpoint
from jamba_reader.checkpoints.writer import SHARD_BYTES, Outgoing, write_checkpoint
from jamba_reader.ops.row_quantisation.cpu.quantise import quantise_rows_fast
from jamba_reader.ops.row_quantisation.format import ExpertsInt8, QuantisedRows
from spider.errors import CheckpointError, ConfigError
from spider.memory import in_words


def quantise_named(name: str, weight: Tensor, *, out: QuantisedRows | None = None) -> QuantisedRows:
    """Quantise one tensor of a checkpoint; an error says which.

    Raises:
        CheckpointError: a weight is infinite or not a number.
    """
    try:
        return quantise_rows_fast(weight, out=out)
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {error}") from error


class QuantisedCheckpoint:
    """The tensors of a checkpoint, int8 where it is asked for.

    Args:
        source: what is read; parts of it may be int8 already, and stay so.
        quantization: what becomes int8.
    """

    def __init__(self, source: Checkpoint, quantization: ExpertsInt8):
        self._source = source
        self._specs = tensor_specs(source.config, quantization)
        self._scale: tuple[str, Tensor] | None = None

    def tensors(self) -> list[Outgoing]:
        """Return what will be there, in the model's order."""
        types = {"int8": torch.int8, "scale": torch.float32}
        return [
            Outgoing(spec, types.get(spec.kind) or self._source.dtype_of(spec.name))
            for spec in self._specs.values()
        ]

    def read(self, name: str) -> Tensor:
        """Return one tensor; the scales of a weight cost nothing right after it."""
        stored = self._source.specs.get(name)
        if stored is not None and stored.kind == self._specs[name].kind:
            return self._source.read(name)
        if self._scale is not None and self._scale[0] == name:
            return self._scale[1]
        weight = name.removesuffix(SCALE)
        rows = quantise_named(weight, self._source.read(weight))
        self._scale = (f"{weight}{SCALE}", rows.scale)
        return rows.values if weight == name else rows.scale


def quantise_checkpoint(
    source: Checkpoint,
    folder: Path,
    quantization: ExpertsInt8,
    *,
    max_shard_bytes: int = SHARD_BYTES,
) -> dict[str, Any]:
    """Write an int8 twin of a checkpoint; a killed call goes on after its last whole shard.

    No more than one tensor is held, so a checkpoint may be larger than memory.

    Args:
        source: what is read.
        folder: holds nothing, or what an earlier call on the same source wrote.
        quantization: what is int8 in the end; all that is in the source has to be among it.
        max_shard_bytes: size of a file, unless one tensor is larger.

    Returns:
        Counts of tensors, parameters and bytes.

    Raises:
        ConfigError: the disk is too small, or there is nothing to quantise.
    """
    twin = QuantisedCheckpoint(source, quantization)
    tensors = twin.tensors()
    kinds = [tensor.spec.kind for tensor in tensors]
    if "int8" not in kinds:
        raise ConfigError(
            f"{source.folder}: the model has no experts to quantise; dense_layers=true quantises "
            "its dense feed-forward parts"
        )
    _check_disk(folder, sum(tensor.nbytes for tensor in tensors))
    folder.mkdir(parents=True, exist_ok=True)
    for file in source.small_files:
        if file.name != CONFIG:
            shutil.copyfile(file, folder / file.name)
    size = write_checkpoint(
        folder,
        config_mapping(source.config, dtype_name(source.dtype), quantization),
        tensors,
        twin.read,
        max_shard_bytes=max_shard_bytes,
        resume=True,
        label="quantise",
    )
    return {
        "tensors": len(tensors),
        "int8_tensors": kinds.count("int8"),
        "parameters": sum(t.spec.elements for t in tensors if t.spec.kind != "scale"),
        "int8_parameters": sum(t.spec.elements for t in tensors if t.spec.kind == "int8"),
        "source_bytes": source.nbytes,
        "bytes": size,
    }


def joint_quantization(stored: ExpertsInt8 | None, wanted: ExpertsInt8) -> ExpertsInt8:
    """Return what is int8 in the end: what is stored so, and what is wanted so."""
    return ExpertsInt8(dense=wanted.dense or (stored is not None and stored.dense))


def _check_disk(folder: Path, needed: int) -> None:
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    written = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    free = shutil.disk_usage(existing).free + written
    if needed > free:
        raise ConfigError(
            f"{folder}: the int8 checkpoint takes {in_words(needed)}, the disk has "
            f"{in_words(free)} free; output=FOLDER writes elsewhere"
        )
