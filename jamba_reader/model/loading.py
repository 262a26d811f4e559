"""Loads and saves the language model, one tensor at a time."""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import torch
from torch import Tensor

from jamba_reader.checkpoints.files import config_mapping, dtype_name
from jamba_reader.checkpoints.location import find_checkpoint
from jamba_reader.checkpoints.names import SCALE, model_view, tensor_specs
from jamba_reader.checkpoints.quantization import joint_quantization, quantise_named
from jamba_reader.checkpoints.stored import Checkpoint
from jamba_reader.checkpoints.writer import SHARD_BYTES, Outgoing, write_checkpoint
from jamba_reader.config import JambaConfig
from jamba_reader.model.memory_budget import check_memory
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.operand_checks import check_model_dtype
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.row_quantisation.operands import QuantisedRows
from jamba_reader.ops.selection import Implementation
from spider.errors import CheckpointError
from spider.progress import Progress


def load_model(
    name_or_path: str | Path,
    *,
    dtype: torch.dtype | None = None,
    device: torch.device | str = "cpu",
    kernels: Implementation = "auto",
    quantization: ExpertsInt8 | None = None,
    revision: str | None = None,
    progress: bool = True,
) -> JambaLanguageModel:
    """Load a checkpoint for inference.

    Memory never holds more than the model and one more tensor.

    Args:
        name_or_path: a name on the hub, a folder in any layout, or a reader artifact.
        dtype: data type of the weights; None takes the one that ``config.json`` names, otherwise
            the stored one.
        device: device of the weights.
        kernels: implementation of the operations.
        quantization: weights to quantise while loading, besides those that are int8 in the files.
        revision: commit, tag or branch on the hub.
        progress: show a progress line.

    Raises:
        CheckpointError: the checkpoint is missing, damaged, or not a Jamba model; one line lists
            all missing, unexpected and misshapen tensors.
        ConfigError: the weights need more memory than there is, or a model cannot have the dtype.
        MissingDependencyError: the hub cannot be reached.
    """
    folder = find_checkpoint(name_or_path, revision=revision)
    checkpoint = Checkpoint(folder)
    if quantization is None:
        quantization = checkpoint.quantization
    else:
        quantization = joint_quantization(checkpoint.quantization, quantization)
    check_model_dtype(dtype)
    dtype = dtype or checkpoint.dtype
    check_memory(checkpoint.config, 0, 0, dtype, device, 0, quantization)
    model = JambaLanguageModel(
        checkpoint.config, kernels=kernels, device="meta", dtype=dtype, quantization=quantization
    )
    model.to_empty(device=device)
    if checkpoint.config.tie_word_embeddings:
        # to_empty gives each module its own tensors, so the head has to be tied again
        model.lm_head.weight = model.model.embed_tokens.weight
        checkpoint.check_tied_head()
    _fill(model, checkpoint, progress=progress)
    return model.eval()


def save_model(
    model: JambaLanguageModel, folder: Path, *, max_shard_bytes: int = SHARD_BYTES
) -> None:
    """Write a model in the layout on the hub; transformers opens it unless it has int8 weights.

    ``config.json`` is written last, so a folder that has it is complete. Weights that the folder
    contained before are replaced. At most one tensor is copied at a time.

    Args:
        model: a model on any device.
        folder: created if it does not exist.
        max_shard_bytes: largest size of a file, unless one tensor is larger.
    """
    state = model.state_dict()
    specs = tensor_specs(model.config, model.quantization).values()
    tensors = [Outgoing(spec, _part(spec.name, state, model.config).dtype) for spec in specs]
    write_checkpoint(
        folder,
        config_mapping(model.config, dtype_name(model.dtype), model.quantization),
        tensors,
        lambda name: _part(name, state, model.config),
        max_shard_bytes=max_shard_bytes,
    )


@torch.no_grad()
def _fill(model: JambaLanguageModel, checkpoint: Checkpoint, *, progress: bool) -> None:
    """Read every tensor into the model."""
    state = model.state_dict()
    specs = tensor_specs(model.config, model.quantization)
    with ExitStack() as stack:
        shown = None
        if progress:
            total = sum(spec.elements for name, spec in specs.items() if name in checkpoint.specs)
            shown = stack.enter_context(Progress(total=total, unit="parameters", label="load"))
        for name, spec in specs.items():
            place = _part(name, state, model.config)
            if name not in checkpoint.specs:
                continue  # scales are computed with the weight before them
            source = checkpoint.read(name)
            if spec.kind == "int8" and source.dtype != torch.int8:
                scale = _part(f"{name}{SCALE}", state, model.config)
                quantise_named(name, source.to(place.device), out=QuantisedRows(place, scale))
            else:
                _copy(name, source, place)
            if shown is not None:
                shown.advance(spec.elements)


def _part(name: str, state: Mapping[str, Tensor], config: JambaConfig) -> Tensor:
    """Return the part of the model's state that is a tensor of the hub's layout."""
    view = model_view(name, config)
    tensor = state[view.name]
    if view.expert is not None:
        tensor = tensor[view.expert]
    return tensor if view.stop is None else tensor[view.start : view.stop]


def _copy(name: str, source: Tensor, place: Tensor) -> None:
    place.copy_(source)
    if place.dtype == torch.float16 != source.dtype and not bool(place.isfinite().all()):
        raise CheckpointError(
            f"{name} has weights outside the range of float16: load it as bfloat16"
        )
