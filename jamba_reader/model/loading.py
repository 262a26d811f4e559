"""Loading and saving the language model, tensor by tensor (layouts: :mod:`checkpoint_names`)."""

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
from jamba_reader.ops.row_quantisation.format import ExpertsInt8, QuantisedRows
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
    """Load a checkpoint for inference; at no time is more held than the model and one tensor.

    Args:
        name_or_path: a name on the hub, a folder in any layout, or a reader artifact.
        dtype: of the weights; None takes what ``config.json`` says, else what is stored.
        device: where the weights go.
        kernels: which implementation of each operation runs.
        quantization: what becomes int8 on the way, besides what is int8 in the files.
        revision: commit, tag or branch on the hub.
        progress: show a progress line.

    Raises:
        CheckpointError: the checkpoint is missing, damaged, or not of such a model: one line with
            all missing, unexpected and misshapen tensors.
        ConfigError: the weights take more memory than there is.
        MissingDependencyError: the hub cannot be reached.
    """
    folder = find_checkpoint(name_or_path, revision=revision)
    checkpoint = Checkpoint(folder)
    if quantization is None:
        quantization = checkpoint.quantization
    else:
        quantization = joint_quantization(checkpoint.quantization, quantization)
    dtype = dtype or checkpoint.dtype
    check_memory(checkpoint.config, 0, 0, dtype, device, 0, quantization)
    model = JambaLanguageModel(
        checkpoint.config, kernels=kernels, device="meta", dtype=dtype, quantization=quantization
    )
    model.to_empty(device=device)
    if checkpoint.config.tie_word_embeddings:
        # to_empty gives each module tensors of its own
        model.lm_head.weight = model.model.embed_tokens.weight
        checkpoint.check_tied_head()
    _fill(model, checkpoint, progress=progress)
    return model.eval()


def save_model(
    model: JambaLanguageModel, folder: Path, *, max_shard_bytes: int = SHARD_BYTES
) -> None:
    """Write a model as it is on the hub, which transformers opens unless parts of it are int8.

    ``config.json`` comes last, so a folder that has it is whole; weights that the folder held
    before are replaced. No more than one tensor is copied at a time.

    Args:
        model: on any device.
        folder: made if it is not there.
        max_shard_bytes: size of a file, unless one tensor is larger.
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
    """Read every tensor into its place in the model."""
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
                continue  # scales that come with the weight before them
            source = checkpoint.read(name)
            if spec.kind == "int8" and source.dtype != torch.int8:
                scale = _part(f"{name}{SCALE}", state, model.config)
                quantise_named(name, source.to(place.device), out=QuantisedRows(place, scale))
            else:
                _copy(name, source, place)
            if shown is not None:
                shown.advance(spec.elements)


def _part(name: str, state: Mapping[str, Tensor], config: JambaConfig) -> Tensor:
    """Return the part of the model's state that holds a tensor of the hub's layout."""
    view = model_view(name, config)
    tensor = state[view.name]
    if view.expert is not None:
        tensor = tensor[view.expert]
    return tensor if view.stop is None else tensor[view.start : view.stop]


def _copy(name: str, source: Tensor, place: Tensor) -> None:
    place.copy_(source)
    if place.dtype == torch.float16 != source.dtype and not bool(place.isfinite().all()):
        raise CheckpointError(f"{name} has weights beyond float16: load it as bfloat16")
