"""Checkpoints of a run in progress: folders ``step-000123/``, which are complete or absent.

No random state is stored, since all randomness is a function of (seed, step).
"""

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from spider.errors import CheckpointError
from spider.reading import open_regular, read_json_object

MODEL = "model.safetensors"
OPTIMIZER = "optimizer.pt"
STATE = "state.json"
NAME = re.compile(r"step-(\d{6,})")


class TrainingCheckpoint(NamedTuple):
    """The state from which a run continues.

    Attributes:
        step: updates done.
        model: the objective's weights.
        optimizer: the optimizer's state.
        state: further numbers of the loop.
    """

    step: int
    model: dict[str, Tensor]
    optimizer: dict[str, Any]
    state: dict[str, Any]


def save_checkpoint(
    folder: Path,
    *,
    step: int,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    state: Mapping[str, Any],
    keep: int,
) -> Path:
    """Write ``folder/step-NNNNNN`` atomically, then drop all but the ``keep`` newest.

    Returns:
        The checkpoint's folder.
    """
    final = folder / f"step-{step:06d}"
    partial = folder / f".{final.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    weights = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, partial / MODEL)
    torch.save(optimizer.state_dict(), partial / OPTIMIZER)
    (partial / STATE).write_text(json.dumps({"step": step, **state}), encoding="utf-8")
    for path in partial.iterdir():
        _flush(path)
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    _flush(folder)
    for old in _checkpoints(folder)[:-keep]:
        shutil.rmtree(old)
    return final


def latest_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint under ``folder``, or None."""
    found = _checkpoints(folder)
    return found[-1] if found else None


def load_checkpoint(path: Path, *, device: str | torch.device = "cpu") -> TrainingCheckpoint:
    """Read a checkpoint; no code in it is executed.

    Raises:
        CheckpointError: a file is missing or damaged.
    """
    try:
        state = read_json_object(path / STATE, error=CheckpointError)
        step = state.pop("step")
        if type(step) is not int:
            raise TypeError(f"step is {step!r}, expected a whole number")
        # with several processes Accelerate's device is "cpu:0", which neither load function accepts
        place = "cpu" if torch.device(device).type == "cpu" else str(device)
        for name in (MODEL, OPTIMIZER):
            # a pipe would block the libraries for ever
            open_regular(path / name, error=CheckpointError).close()
        model = load_file(path / MODEL, device=place)
        optimizer = torch.load(path / OPTIMIZER, map_location=place, weights_only=True)
    except Exception as error:  # among them UnpicklingError, whose module our code does not import
        # torch's own message advises to execute what is in the file
        said = str(error) if isinstance(error, CheckpointError) else type(error).__name__
        raise CheckpointError(
            f"{path}: not a complete checkpoint: {said}; delete this folder to continue from the "
            "one before it"
        ) from error
    return TrainingCheckpoint(step, model, optimizer, state)


def _checkpoints(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    named = [(NAME.fullmatch(path.name), path) for path in folder.iterdir()]
    return [path for _, path in sorted((int(match[1]), path) for match, path in named if match)]


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
