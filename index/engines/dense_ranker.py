"""Dense search for texts: an encoder and a dense index."""

from collections.abc import Sequence

import numpy as np

from index.dense.contract import DenseSearcher
from spider.errors import ArtifactError
from spider.interfaces import QuestionEncoder
from spider.ranking import NO_PASSAGE, Hits


class DenseRanker:
    """Encodes questions and searches their vectors.

    Args:
        searcher: the dense index.
        encoder: the encoder that embedded the passages.

    Raises:
        ArtifactError: the two differ in dimension.
    """

    def __init__(self, searcher: DenseSearcher, encoder: QuestionEncoder):
        if searcher.dimension != encoder.dimension:
            raise ArtifactError(
                f"the index has dimension {searcher.dimension}, the encoder {encoder.dimension}; "
                "embed and build again"
            )
        self._searcher = searcher
        self._encoder = encoder

    def __len__(self) -> int:
        return len(self._searcher)

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        """Return at most ``depth`` passages for each question, best first.

        A question whose vector is zero, because the encoder knows none of its words, gets none:
        every passage would score 0, and the first ones of the corpus would be listed.
        """
        vectors = self._encoder.encode_questions(list(questions))
        found = self._searcher.search(vectors, depth)
        unknown = ~vectors.any(axis=1)
        if not unknown.any():
            return found
        positions, scores = found.positions.copy(), found.scores.copy()
        positions[unknown], scores[unknown] = NO_PASSAGE, -np.inf
        return Hits(positions, scores)

    def close(self) -> None:
        """Do nothing: the memory is freed with the object."""
