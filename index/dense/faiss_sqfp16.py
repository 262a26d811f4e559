"""FAISS IndexScalarQuantizer with float16 codes: the default.

The embeddings are float16 already, so no precision is lost. It takes half of the memory of the
flat index, and a single question is four times as fast: 20 ms against 78 ms at 330,000 passages
of 768 dimensions.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from index.dense.contract import EmbeddingSource
from index.dense.faiss_file import FaissSearcher, build_file, faiss_module, load_file
from spider.progress import Progress

VARIANT = "faiss_sqfp16"


class FaissSqfp16:
    """Two bytes for each number, with exact inner products."""

    variant = VARIANT
    bytes_per_value = 2

    def build(
        self, embeddings: EmbeddingSource, folder: Path, progress: Progress
    ) -> dict[str, Any]:
        """Write the index into an existing folder; return the details that ``load`` needs."""
        faiss = faiss_module()
        index = faiss.IndexScalarQuantizer(
            embeddings.dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        return build_file(index, embeddings, folder, progress, variant=VARIANT)


def load(folder: Path, details: Mapping[str, Any]) -> FaissSearcher:
    """Open what :meth:`FaissSqfp16.build` wrote."""
    return load_file(folder, details)
