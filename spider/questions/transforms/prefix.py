"""The paper's ablation whose query is the text before the span."""

from collections.abc import Sequence

import numpy as np

from spider.errors import SettingError
from spider.questions.transforms.query_ranges import QueryRanges, Range, check_occurrences


class Prefix:
    """The units before the first occurrence, the nearest ``maximum`` of them.

    Source: Ram et al. 2022, Table 4 (``prefix``). As in the released code, ``minimum`` units after
    the occurrence are added if fewer units come before it. The span is removed, unless the passage
    is only the span. Nothing is random: ``chosen`` and ``rng`` are not used.

    Args:
        minimum: with fewer units before the span, this many after it are added.
        maximum: most units before the span.

    Raises:
        ConfigError: the lengths are out of order.
    """

    def __init__(self, *, minimum: int = 5, maximum: int = 30):
        if not 1 <= minimum <= maximum:
            raise SettingError("minimum", minimum, f"1 to maximum={maximum}")
        self.minimum = minimum
        self.maximum = maximum

    def ranges(
        self, length: int, occurrences: Sequence[Range], chosen: int, rng: np.random.Generator
    ) -> QueryRanges:
        """Return the prefix; see :class:`QueryTransform`."""
        check_occurrences(length, occurrences, chosen)
        start, end = min(occurrences)
        before = (max(0, start - self.maximum), start)
        behind = (end, min(length, end + self.minimum) if start < self.minimum else end)
        kept = tuple((a, b) for a, b in (before, behind) if a < b)
        return QueryRanges(kept, False, False) if kept else QueryRanges(((0, length),), True, False)
