"""Passages that the list of a question must not hold, such as a held-out query's own."""

from collections.abc import Sequence

Excluded = Sequence[Sequence[int]]


def most_excluded(excluded: Excluded) -> int:
    """Return how many more passages to fetch so that enough are left after dropping."""
    return max((len(row) for row in excluded), default=0)
