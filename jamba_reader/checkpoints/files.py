"""The files of a checkpoint: configuration and safetensors headers."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import torch

from jamba_reader.config import JambaConfig, token_ids
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from spider.artifacts.folder.file_table import is_plain_name
from spider.errors import CheckpointError, first_line
from spider.reading import open_regular, read_json_object

CONFIG = "config.json"
GENERATION_CONFIG = "generation_config.json"
QUANTIZATION = "quantization_config"
INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
#: every file of a model besides its weights
SMALL_FILES = (
    CONFIG, GENERATION_CONFIG, "tokenizer.json", "tokenizer_config.json", "tokenizer.model",
    "special_tokens_map.json", "chat_template.jinja",
)  # fmt: skip


class StoredTensor(NamedTuple):
    """A tensor in a file that is not read yet.

    Attributes:
        file: the file.
        shape: shape of the tensor.
        dtype: its data type by the name in safetensors: F32, BF16 …
    """

    file: Path
    shape: tuple[int, ...]
    dtype: str


def read_config(folder: Path) -> tuple[JambaConfig, ExpertsInt8 | None]:
    """Read ``config.json``, and the end-of-text tokens in ``generation_config.json``.

    Raises:
        CheckpointError: ``config.json`` is missing or damaged, has another architecture or
            quantisation, or does not describe a valid model; or an end-of-text token in
            ``generation_config.json`` is none.
    """
    values = _read_mapping(folder / CONFIG)
    try:
        described = values.pop(QUANTIZATION, None)
        if described is not None and not isinstance(described, dict):
            raise CheckpointError(f"{QUANTIZATION} is {described!r}, expected a mapping")
        quantization = None if described is None else ExpertsInt8.from_mapping(described)
        config = JambaConfig.from_mapping(values)
    except (CheckpointError, ValueError) as error:
        raise CheckpointError(f"{folder / CONFIG}: {error}") from error
    ends = _other_ends(folder / GENERATION_CONFIG, config.vocab_size)
    both = tuple(dict.fromkeys((*config.eos_token_ids, *ends)))
    return dataclasses.replace(config, eos_token_ids=both), quantization


def _other_ends(file: Path, vocabulary: int) -> tuple[int, ...]:
    """Return the end-of-text tokens of ``generation_config.json``, if there is one."""
    if not file.is_file():
        return ()
    ends = token_ids(_read_mapping(file).get("eos_token_id"))
    for end in ends:
        if type(end) is not int or not 0 <= end < vocabulary:
            raise CheckpointError(
                f"{file}: eos_token_id has {end!r}, expected token ids from 0 to {vocabulary - 1}"
            )
    return ends


def config_mapping(
    config: JambaConfig, dtype: str, quantization: ExpertsInt8 | None
) -> dict[str, Any]:
    """Return the contents of ``config.json`` for weights of that data type."""
    values = config.to_mapping()
    values.pop("torch_dtype", None)
    values["dtype"] = dtype
    if quantization is not None:
        values[QUANTIZATION] = quantization.to_mapping()
    return values


def dtype_name(dtype: torch.dtype) -> str:
    """Return the name of a data type in ``config.json``."""
    return str(dtype).removeprefix("torch.")


def _read_mapping(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise CheckpointError(f"{file}: no such file, so {file.parent} is not a checkpoint")
    return read_json_object(file, error=CheckpointError)


def stored_tensors(folder: Path) -> dict[str, StoredTensor]:
    """List the tensors of a folder's safetensors; only headers are read.

    Raises:
        CheckpointError: a file is missing or damaged, or there is none.
    """
    if (folder / INDEX).is_file():
        placed = _read_mapping(folder / INDEX).get("weight_map")
        if not isinstance(placed, Mapping) or not placed:
            raise CheckpointError(f"{folder / INDEX} has no weight_map")
        files = _shards(folder, placed)
    elif (folder / SINGLE).is_file():
        placed, files = None, [SINGLE]
    else:
        raise CheckpointError(_no_weights(folder))
    absent = [name for name in files if not (folder / name).is_file()]
    if absent:
        raise CheckpointError(
            f"{folder}: {len(absent)} of {len(files)} shards are missing: "
            f"{', '.join(absent[:4])}; download them again"
        )
    found = {}
    for name in files:
        for tensor, stored in _headers(folder / name).items():
            if placed is None or placed.get(tensor) == name:
                found[tensor] = stored
    lost = sorted(set(placed or ()) - found.keys())
    if lost:
        raise CheckpointError(
            f"{folder}: the shards lack tensors of {INDEX}: {', '.join(lost[:4])}"
        )
    return found


def _shards(folder: Path, placed: Mapping[str, Any]) -> list[str]:
    """Return the names of the shards in an index: plain names of files beside it."""
    for tensor, name in placed.items():
        if not is_plain_name(name):
            raise CheckpointError(
                f"{folder / INDEX}: {tensor} is in {name!r}, expected the name of a file in the "
                "same folder"
            )
    return sorted(set(placed.values()))


def _headers(file: Path) -> dict[str, StoredTensor]:
    # a pipe would block the library for ever
    open_regular(file, error=CheckpointError).close()
    try:
        with safetensors.safe_open(file, framework="pt") as opened:
            slices = {name: opened.get_slice(name) for name in opened.keys()}  # noqa: SIM118
            return {
                name: StoredTensor(file, tuple(part.get_shape()), part.get_dtype())
                for name, part in slices.items()
            }
    except (OSError, safetensors.SafetensorError) as error:
        raise CheckpointError(
            f"{file}: truncated or not a safetensors file, {file.stat().st_size:,} bytes "
            f"({first_line(error)}); download it again"
        ) from error


def _no_weights(folder: Path) -> str:
    shards = sorted(file.name for file in folder.glob("*.safetensors"))
    if shards:
        return f"{folder} holds {', '.join(shards[:3])} but neither {INDEX} nor {SINGLE}"
    pickles = sorted(file.name for file in folder.glob("*.bin"))
    if pickles:
        return (
            f"{folder} holds only pickled weights ({pickles[0]}), which are not opened because "
            "loading them runs code; convert them with transformers' save_pretrained"
        )
    return f"{folder} holds no {SINGLE} and no {INDEX}"
