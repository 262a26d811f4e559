"""Reads weights from disk without pickle, and compares their shapes with the model's."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor

from spider.errors import CheckpointError
from spider.reading import open_regular, reading

SHOWN = 4


def load_weights(path: Path) -> dict[str, Tensor]:
    """Read a ``.safetensors`` file, or a PyTorch file with ``weights_only``.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    with reading(path, error=CheckpointError, foreign=True):
        if path.suffix == ".safetensors":
            # opened here first: a pipe would block the library for ever
            open_regular(path, error=CheckpointError).close()
            return safetensors.torch.load_file(path)
        with open_regular(path, error=CheckpointError) as file:
            try:
                found = torch.load(file, map_location="cpu", weights_only=True)
            except Exception as error:
                # torch's own message advises to read the file with code in it executed
                raise CheckpointError(
                    f"{path}: not a PyTorch file of weights alone ({type(error).__name__}); save "
                    "its state_dict() as .safetensors"
                ) from error
    if not isinstance(found, Mapping) or not all(isinstance(v, Tensor) for v in found.values()):
        raise CheckpointError(f"{path}: expected named weights, got another kind of object")
    return {str(name): tensor for name, tensor in found.items()}


def check_weights(
    expected: Mapping[str, tuple[int, ...]], got: Mapping[str, Tensor], where: Path
) -> None:
    """Compare names and shapes.

    Raises:
        CheckpointError: one line with the missing and unexpected names and the wrong shapes.
    """
    missing = [name for name in expected if name not in got]
    unexpected = [name for name in got if name not in expected]
    shapes = [
        f"{name} is {tuple(got[name].shape)}, expected {tuple(shape)}"
        for name, shape in expected.items()
        if name in got and tuple(got[name].shape) != tuple(shape)
    ]
    report_misfit(missing, unexpected, shapes, where)


def report_misfit(
    missing: Sequence[str], unexpected: Sequence[str], shapes: Sequence[str], where: Path | str
) -> None:
    """Raise an error unless all three lists are empty.

    Raises:
        CheckpointError: one line that names the first of each.
    """
    problems = [
        f"{label}: {_some(names)}"
        for label, names in (("missing", missing), ("unexpected", unexpected), ("shape", shapes))
        if names
    ]
    if problems:
        raise CheckpointError(f"{where}: weights do not fit the model; {'; '.join(problems)}")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
