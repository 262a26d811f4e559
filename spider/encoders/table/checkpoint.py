"""A table of vectors on disk, in the layout that sentence-transformers loads."""

from pathlib import Path

import safetensors.torch
from jaxtyping import Float32
from torch import Tensor

from spider.artifacts.atomic_files import write_json
from spider.encoders.sentence_transformers_layout import write_layout
from spider.encoders.weights import check_weights, load_weights
from spider.text.tokenizer import Tokenizer, load_tokenizer

FOLDER = "0_StaticEmbedding"
WEIGHTS = "model.safetensors"
TABLE = "embedding.weight"


def save_table(
    table: Float32[Tensor, "vocabulary dimension"], tokenizer: Tokenizer, folder: Path
) -> None:
    """Write a table and its tokenizer as StaticEmbedding + Normalize."""
    (folder / FOLDER).mkdir(exist_ok=True)
    tokenizer.save(folder / FOLDER)
    safetensors.torch.save_file({TABLE: table.contiguous()}, folder / FOLDER / WEIGHTS)
    write_layout(folder, [("StaticEmbedding", FOLDER), ("Normalize", "1_Normalize")])
    (folder / "1_Normalize").mkdir(exist_ok=True)
    write_json(folder / "1_Normalize" / "config.json", {})


def load_table(
    folder: Path, dimension: int
) -> tuple[Float32[Tensor, "vocabulary dimension"], Tokenizer]:
    """Read what :func:`save_table` wrote.

    Raises:
        CheckpointError: the table is missing, damaged, or has another shape.
    """
    tokenizer = load_tokenizer(folder / FOLDER)
    weights = load_weights(folder / FOLDER / WEIGHTS)
    check_weights({TABLE: (tokenizer.vocabulary_size, dimension)}, weights, folder)
    return weights[TABLE].float().contiguous(), tokenizer
