"""FAISS IndexFlatIP: exact inner products over float32 vectors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from index.dense.contract import EmbeddingSource
from index.dense.faiss_file import FaissSearcher, build_file, faiss_module, load_file
from spider.progress import Progress

VARIANT = "faiss_flat"


class FaissFlat:
    """The paper's index (section 4.4): four bytes for each number, best in batches of 512."""

    variant = VARIANT
    bytes_per_value = 4

    def build(
        self, embeddings: EmbeddingSource, folder: Path, progress: Progress
    ) -> dict[str, Any]:
        """Write the index into an existing folder; return the details that ``load`` needs."""
        index = faiss_module().IndexFlatIP(embeddings.dimension)
        return build_file(index, embeddings, folder, progress, variant=VARIANT)


def load(folder: Path, details: Mapping[str, Any]) -> FaissSearcher:
    """Open what :meth:`FaissFlat.build` wrote."""
    return load_file(folder, details)
