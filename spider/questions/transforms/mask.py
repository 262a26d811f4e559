"""The paper's ablation whose query is the whole passage with the span masked."""

from collections.abc import Sequence

import numpy as np

from spider.questions.transforms.query_ranges import QueryRanges, Range, check_occurrences


class Mask:
    """The whole passage with every occurrence of the span replaced by one mask unit.

    Source: Ram et al. 2022, Table 4 (whole passage, [MASK]). The released code has a mask token but
    never inserts it; ``insert_mask=False`` reproduces this. Occurrences that touch or overlap
    become one mask. A passage that is only the span is kept unchanged, so a query is never empty.
    Nothing is random: ``rng`` and ``chosen`` are not used.

    Args:
        insert_mask: insert a mask unit in place of an occurrence; False only deletes it.
    """

    def __init__(self, *, insert_mask: bool = True):
        self.insert_mask = insert_mask

    def ranges(
        self, length: int, occurrences: Sequence[Range], chosen: int, rng: np.random.Generator
    ) -> QueryRanges:
        """Return the ranges between the occurrences; see :class:`QueryTransform`."""
        check_occurrences(length, occurrences, chosen)
        gaps: list[list[int]] = []
        for start, end in sorted(occurrences):
            if gaps and start <= gaps[-1][1]:
                gaps[-1][1] = max(gaps[-1][1], end)
            else:
                gaps.append([start, end])
        borders = [0, *(border for gap in gaps for border in gap), length]
        kept = tuple(zip(borders[::2], borders[1::2], strict=True))
        if all(start == end for start, end in kept):
            return QueryRanges(((0, length),), True, False)
        if not self.insert_mask:
            kept = tuple((start, end) for start, end in kept if start < end)
        return QueryRanges(kept, False, self.insert_mask)
