"""Dense search for texts: an encoder and a dense index."""

from collections.abc import Sequence

from index.dense.contract import DenseSearcher
from spider.errors import ArtifactError
from spider.interfaces import QuestionEncoder
from spider.ranking import Hits


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
        """Return at most ``depth`` passages for each question, best first."""
        return self._searcher.search(self._encoder.encode_questions(list(questions)), depth)

    def close(self) -> None:
        """Do nothing: the memory is freed with the object."""
