"""Converts a checkpoint to ExpertsInt8, tensor by tensor.

An int8 checkpoint has the hub's names. Each int8 weight, ``NAME.weight`` of type I8, is followed by
its scales, ``NAME.weight_scale`` of type F32, one for each row: the weight is
``int8 * scale[:, None]``. ``config.json`` records this under ``quantization_config``:
``{"quant_method": "experts_int8", "dense": false}``. ``dense`` records whether the feed-forward
parts of layers without experts are int8 too. CPU and GPU read the same files.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from jamba_reader.checkpoints.files import CONFIG, config_mapping, dtype_name
from jamba_reader.checkpoints.names import SCALE, tensor_specs
from jamba_reader.checkpoints.stored import Checkpoint
from jamba_reader.checkpoints.writer import SHARD_BYTES, Outgoing, write_checkpoint
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.row_quantisation.op import quantise_rows
from jamba_reader.ops.row_quantisation.operands import QuantisedRows
from spider.artifacts.model_card import ModelCard
from spider.errors import CheckpointError, ConfigError
from spider.memory import in_words


def quantise_named(name: str, weight: Tensor, *, out: QuantisedRows | None = None) -> QuantisedRows:
    """Quantise one tensor of a checkpoint; an error contains its name.

    Raises:
        CheckpointError: a weight is infinite or not a number.
    """
    try:
        return quantise_rows(weight, out=out)
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {error}") from error


class QuantisedCheckpoint:
    """The tensors of a checkpoint after quantisation.

    Args:
        source: the checkpoint to read; tensors that are int8 already are copied.
        quantization: the weights to quantise.
    """

    def __init__(self, source: Checkpoint, quantization: ExpertsInt8):
        self._source = source
        self._specs = tensor_specs(source.config, quantization)
        self._scale: tuple[str, Tensor] | None = None

    def tensors(self) -> list[Outgoing]:
        """Return the tensors of the result, in the model's order."""
        types = {"int8": torch.int8, "scale": torch.float32}
        return [
            Outgoing(spec, types.get(spec.kind) or self._source.dtype_of(spec.name))
            for spec in self._specs.values()
        ]

    def read(self, name: str) -> Tensor:
        """Return one tensor; the scales are free directly after their weight."""
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
    """Write an int8 copy of a checkpoint; a killed call resumes after its last complete shard.

    At most one tensor is in memory, so a checkpoint may be larger than memory.

    Args:
        source: the checkpoint to read.
        folder: empty, or the result of an interrupted call on the same source.
        quantization: the int8 weights of the result; includes all int8 weights of the source.
        max_shard_bytes: largest size of a file, unless one tensor is larger.

    Returns:
        Counts of tensors, parameters and bytes.

    Raises:
        ConfigError: the disk is too small, or there is nothing to quantise.
    """
    quantised = QuantisedCheckpoint(source, quantization)
    tensors = quantised.tensors()
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
        quantised.read,
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
    """Return the int8 weights of the result: those stored as int8, and those to quantise."""
    return ExpertsInt8(dense=wanted.dense or (stored is not None and stored.dense))


def quantization_card(counts: Mapping[str, int], quantization: ExpertsInt8) -> ModelCard:
    """Return the model card of a quantised checkpoint.

    Args:
        counts: the result of :func:`quantise_checkpoint`.
        quantization: the int8 weights of the result.
    """
    return ModelCard(
        title="A Jamba language model with int8 weights",
        summary="An int8 copy of a Jamba checkpoint. Made by `spider quantize-reader`.",
        training="Not trained here: each int8 row is the source's row, rounded, with one scale.",
        settings={
            **quantization.to_mapping(),
            "parameters": counts["parameters"],
            "int8 parameters": counts["int8_parameters"],
            "bytes": counts["bytes"],
            "bytes of the source": counts["source_bytes"],
        },
        usage=(
            "from jamba_reader.model.loading import load_model\n\n"
            'model = load_model(".")  # the folder of this file'
        ),
        limits=[
            "Its answers differ a little from those of the source; measure both before use.",
            "The transformers library does not load this format.",
        ],
    )


def _check_disk(folder: Path, needed: int) -> None:
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    written = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    free = shutil.disk_usage(existing).free + written
    if needed > free:
        raise ConfigError(
            f"{folder}: the int8 checkpoint needs {in_words(needed)}, the disk has "
            f"{in_words(free)} free; output=FOLDER selects another place"
        )
