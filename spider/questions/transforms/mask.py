"""The paper's ablation in which the query is the whole passage, the span masked."""

from collections.abc import Sequence

import numpy as np

from spider.questions.transforms.query_ranges import QueryRanges, Range, check_occurrences


class Mask:
    """The whole passage with every occurrence of the span replaced by one mask unit.

    Source: Ram et al. 2022, Table 4 (whole passage, [MASK]). The released code takes a mask token
    and never puts it in; ``insert_mask=False`` is that. Occurrences that touch or overlap become
    one mask. A passage that is nothing but the span is kept whole, so a query is never empty.
    Nothing is random: ``rng`` is not used, and ``chosen`` makes no difference.

    Args:
        insert_mask: put a mask unit where an occurrence was; False only deletes.
    """

    def __init__(self, *, insert_mask: bool = True):
        self.insert_mask = insert_mask

    def ranges(
        self, length: int, occurrences: Sequence[Range], chosen: int, rng: np.random.Generator
    ) -> QueryRanges:
        """Return what lies between the occurrences; see the protocol QueryTransform."""
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
