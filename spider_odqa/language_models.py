"""Loads a Jamba language model with its tokenizer."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jamba_reader.generation.language_model import LanguageModel


def load_model(
    name_or_path: str | Path, *, device: str = "auto", revision: str | None = None
) -> "LanguageModel":
    """Load a Jamba checkpoint and its tokenizer.

    The model has ``new_cache``, ``prefill`` and ``generate``; see
    :class:`jamba_reader.generation.language_model.LanguageModel`, whose ``open`` takes more
    settings (data type, int8 experts, kernels).

    Args:
        name_or_path: a folder with a checkpoint, a reader artifact, or a name on the hub.
        device: ``auto`` is the first GPU, or the CPU without one.
        revision: commit, tag or branch on the hub.

    Raises:
        CheckpointError: the checkpoint is missing, damaged, or not a Jamba model.
        DataError: there is no tokenizer.
    """
    # torch takes seconds to load, and a BM25 retriever does not need it
    from jamba_reader.generation.language_model import LanguageModel

    return LanguageModel.open(name_or_path, device=device, revision=revision, progress=False)
