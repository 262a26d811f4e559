"""The protocol of query transforms, and their result, which is ranges of a passage's units."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np

Unit = TypeVar("Unit")
Range = tuple[int, int]


class QueryRanges(NamedTuple):
    """Ranges of a passage's units (words or word pieces) that make a query, in order.

    Attributes:
        ranges: half-open ``(start, end)``, ascending and disjoint.
        kept_span: False if the recurring span was removed from the query.
        masked: one mask unit comes between each two neighbouring ranges; an empty range at the
            beginning or end puts a mask at that edge.
    """

    ranges: tuple[Range, ...]
    kept_span: bool
    masked: bool

    def take(self, units: Sequence[Unit], mask: Unit | None = None) -> list[Unit]:
        """Return the query's units, with ``mask`` where the transform masks, if it is given."""
        taken: list[Unit] = []
        for number, (start, end) in enumerate(self.ranges):
            if number and self.masked and mask is not None:
                taken.append(mask)
            taken.extend(units[start:end])
        return taken


@runtime_checkable
class QueryTransform(Protocol):
    """Makes a query from a passage that contains a recurring span (Spider, section 3.1)."""

    def ranges(
        self, length: int, occurrences: Sequence[Range], chosen: int, rng: np.random.Generator
    ) -> QueryRanges:
        """Choose the ranges of the query.

        Args:
            length: number of the passage's units.
            occurrences: half-open unit ranges of the span in this passage, ascending.
            chosen: the occurrence that the query is made around.
            rng: the only source of randomness.

        Returns:
            At least one unit of the passage.
        """


def check_occurrences(length: int, occurrences: Sequence[Range], chosen: int) -> Range:
    """Return the chosen occurrence.

    Raises:
        ValueError: there is no such occurrence, or it is empty or outside the passage.
    """
    if not 0 <= chosen < len(occurrences):
        raise ValueError(f"occurrence {chosen} chosen, but the passage has {len(occurrences)}")
    start, end = occurrences[chosen]
    if not 0 <= start < end <= length:
        raise ValueError(f"occurrence [{start}, {end}) does not lie in a passage of {length} units")
    return start, end
