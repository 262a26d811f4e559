"""Passages that the list of a question must not hold, such as a held-out query's own."""

from collections.abc import Sequence

from spider.corpus.corpus import Corpus
from spider.question import Question

Excluded = Sequence[Sequence[int]]


def excluded_positions(questions: Sequence[Question], corpus: Corpus) -> list[list[int]]:
    """Return the positions of the excluded passages of each question.

    Raises:
        DataError: an id is not in the corpus.
    """
    return [[corpus.position(name) for name in question.excluded] for question in questions]


def most_excluded(excluded: Excluded) -> int:
    """Return how many more passages to fetch so that enough are left after dropping."""
    return max((len(row) for row in excluded), default=0)
