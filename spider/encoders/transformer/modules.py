"""Reads ``modules.json`` of a folder of sentence-transformers: pooling and what follows it."""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from spider.encoders.transformer.recipe import (
    ACTIVATIONS,
    Dense,
    Normalize,
    Pooling,
    VectorRecipe,
)
from spider.encoders.transformer.refusal import refuse
from spider.errors import CheckpointError
from spider.reading import list_folder, read_json, read_json_object

MODULES = "modules.json"
NUMBERED = re.compile(r"[0-9]{1,3}_(Pooling|Normalize|Dense|LayerNorm|Dropout)")
SENTENCE = "sentence_embedding"
POOLINGS: Mapping[str, Pooling] = {
    "cls": "cls",
    "max": "max",
    "mean": "mean",
    "mean_sqrt_len_tokens": "mean_sqrt_len",
    "weightedmean": "weighted_mean",
    "lasttoken": "last_token",
}
"""The names of sentence-transformers 5.4, in the order in which it joins several vectors."""
OLD_POOLINGS: Mapping[str, Pooling] = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_weightedmean_tokens": "weighted_mean",
    "pooling_mode_lasttoken": "last_token",
}


class Modules(NamedTuple):
    """What the modules of a folder say.

    Attributes:
        transformer: the folder of the transformer.
        dense: the folders of the dense layers.
        recipe: pooling and steps.
    """

    transformer: Path
    dense: tuple[Path, ...]
    recipe: VectorRecipe


def read_modules(folder: Path) -> Modules | None:
    """Read the modules; None for a plain checkpoint.

    Raises:
        CheckpointError: a file is damaged, or a module cannot be represented.
    """
    listed = _listed(folder)
    if listed is None:
        return None
    transformer = folder
    dense: list[Path] = []
    steps: list[Dense | Normalize] = []
    pooling: tuple[tuple[Pooling, ...], bool] | None = None
    for number, (kind, place) in enumerate(listed):
        if (kind == "Transformer") != (number == 0):
            refuse(folder, f"the module {kind} at place {number}")
        if kind == "Transformer":
            transformer = place
        elif kind == "Pooling" and pooling is None:
            pooling = _pooling(folder, place)
        elif kind == "Dense" and pooling is not None:
            steps.append(_dense(folder, place))
            dense.append(place)
        elif kind == "Normalize" and pooling is not None:
            _check_input(folder, kind, _config(place, required=False))
            steps.append(Normalize())
        elif kind != "Dropout":
            # dropout changes nothing outside of training
            refuse(folder, f"the module {kind} at place {number}")
    if pooling is None:
        refuse(folder, "vectors of single tokens (it has no pooling)")
    recipe = VectorRecipe(pooling=pooling[0], pools_prompt=pooling[1], steps=tuple(steps))
    return Modules(transformer, tuple(dense), recipe)


def _listed(folder: Path) -> list[tuple[str, Path]] | None:
    """Return kind and folder of each module; the numbered folders where there is no list."""
    path = folder / MODULES
    if not path.is_file():
        found = [one for one in list_folder(folder) if NUMBERED.fullmatch(one.name)]
        parts = [(one.name.partition("_")[2], one) for one in found]
        return [("Transformer", folder), *parts] if parts else None
    listed = read_json(path, error=CheckpointError)
    if (
        not isinstance(listed, list)
        or not all(isinstance(one, dict) for one in listed)
        or not listed
    ):
        raise CheckpointError(f"{path}: expected a list of modules")
    return [
        (str(one.get("type", "")).rpartition(".")[2] or "without a type", _place(folder, one))
        for one in listed
    ]


def _place(folder: Path, module: Mapping[str, Any]) -> Path:
    path = module.get("path", "")
    if not isinstance(path, str) or PurePosixPath(path).is_absolute() or ".." in path.split("/"):
        raise CheckpointError(f"{folder / MODULES}: path: got {path!r}, expected a folder in it")
    return folder / path


def _config(place: Path, *, required: bool = True) -> dict[str, Any]:
    path = place / "config.json"
    if not required and not path.is_file():
        return {}
    return read_json_object(path, error=CheckpointError)


def _pooling(folder: Path, place: Path) -> tuple[tuple[Pooling, ...], bool]:
    config = _config(place)
    modes = config.get("pooling_mode")
    if modes is None:
        found = tuple(name for key, name in OLD_POOLINGS.items() if config.get(key) is True)
        unknown = [
            key for key, used in config.items()
            if key.startswith("pooling_mode_") and used is True and key not in OLD_POOLINGS
        ]  # fmt: skip
        if not any(key.startswith("pooling_mode") for key in config):
            refuse(folder, f"a pooling that {place / 'config.json'} does not name")
    else:
        names = [modes] if isinstance(modes, str) else modes
        if not isinstance(names, list) or not names:
            refuse(folder, f"the pooling {modes!r}")
        unknown = [str(name) for name in names if name not in POOLINGS]
        found = tuple(POOLINGS[name] for name in names if name in POOLINGS)
    if unknown:
        refuse(folder, f"the pooling {' and '.join(unknown)}, expected {', '.join(POOLINGS)}")
    # as in sentence-transformers, mean is what remains where every mode is switched off
    return found or ("mean",), config.get("include_prompt", True) is not False


def _dense(folder: Path, place: Path) -> Dense:
    config = _config(place)
    _check_input(folder, "Dense", config)
    activation = str(config.get("activation_function", "torch.nn.modules.activation.Tanh"))
    name = activation.rpartition(".")[2]
    if not activation.startswith("torch.nn.") or name not in ACTIVATIONS:
        refuse(folder, f"the activation {activation} of a Dense module")
    inputs, outputs = config.get("in_features"), config.get("out_features")
    if not (isinstance(inputs, int) and isinstance(outputs, int) and min(inputs, outputs) > 0):
        raise CheckpointError(f"{place / 'config.json'}: expected in_features and out_features")
    return Dense(
        inputs=inputs,
        outputs=outputs,
        bias=config.get("bias", True) is not False,
        activation=name,
        residual=config.get("use_residual") is True,
    )


def _check_input(folder: Path, kind: str, config: Mapping[str, Any]) -> None:
    for key in ("module_input_name", "module_output_name"):
        value = config.get(key)
        if value not in (None, SENTENCE):
            refuse(folder, f"a {kind} module of {value}")
