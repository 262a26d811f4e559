"""Whether BM25 searches the words that make a sentence a question.

People ask "How do I read a file?", and few passages hold "how" or "do". BM25 gives rare words a
high weight, so it would look for these words first. An encoder reads the whole question.

Published scores search every word of a question, so the analyzer of published scores keeps them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from index.sparse.analyzers import FOLDED
from index.sparse.contract import SparseIndex
from spider.ranking import Hits
from spider.text.analysis.question_words import without_question_words

QuestionWords = Literal["keep", "drop"]
KEEP: QuestionWords = "keep"
DROP: QuestionWords = "drop"


def settle_question_words(
    wanted: QuestionWords | None, sparse: Mapping[str, Any] | None
) -> QuestionWords:
    """Return the configured choice; without one, that which fits the analyzer.

    Args:
        wanted: the setting.
        sparse: the details of the sparse part; None without one.
    """
    if wanted is not None:
        return wanted
    return DROP if sparse is not None and sparse.get("analyzer") == FOLDED else KEEP


class SubjectRanker:
    """Searches a sparse index for the words of a question that name its subject.

    Args:
        index: the open index; it is closed with this object.
    """

    def __init__(self, index: SparseIndex):
        self._index = index

    def __len__(self) -> int:
        return len(self._index)

    @property
    def cut_questions(self) -> int:
        """Number of questions so far that had more terms than are searched."""
        return self._index.cut_questions

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        """Return at most ``depth`` passages for each question, best first."""
        return self._index.search([without_question_words(text) for text in questions], depth)

    def close(self) -> None:
        """Close the index."""
        self._index.close()
