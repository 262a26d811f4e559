"""The paper's query transform: a random window around the span, with or without the span."""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from spider.errors import SettingError
from spider.questions.transforms.query_ranges import QueryRanges, Range, check_occurrences

WindowRule = Literal["paper", "released"]


class RandomWindow:
    """A window of random length around the chosen occurrence; the span is kept or removed.

    Source: Ram et al. 2022, *Learning to Retrieve Passages without Supervision*, section 3.1, and
    the authors' ``query_transformations.py``. The two differ:

    * ``paper``: the window is uniform among all windows of the drawn length that contain the whole
      occurrence. If the span is removed, the window gets shorter by its length.
    * ``released``: the window's start is uniform in ``[start - length, end]`` of the occurrence,
      so a kept span is cut in about a quarter of the queries and missing in a tenth. If the span is
      removed, units after it are added, so that the query has the drawn length.

    The released code raises an error or yields nothing for some lengths. Here ``paper`` limits the
    window to at least the occurrence and at most the passage, and adds ``minimum`` units if
    removing the span would leave nothing. ``released`` limits it to the passage without the span. A
    passage that is only the span is kept unchanged. Other occurrences in the window stay.

    Args:
        minimum: shortest window, in units.
        maximum: longest window, in units.
        keep_probability: probability that the span stays in the query.
        window: ``paper`` or ``released``.

    Raises:
        ConfigError: a setting is out of its range.
    """

    def __init__(
        self,
        *,
        minimum: int = 5,
        maximum: int = 30,
        keep_probability: float = 0.5,
        window: WindowRule = "paper",
    ):
        if not 1 <= minimum <= maximum:
            raise SettingError("minimum", minimum, f"1 to maximum={maximum}")
        if not 0.0 <= keep_probability <= 1.0:
            raise SettingError("keep_probability", keep_probability, "0 to 1")
        if window not in get_args(WindowRule):
            raise SettingError("window", window, f"one of {get_args(WindowRule)}")
        self.minimum = minimum
        self.maximum = maximum
        self.keep_probability = keep_probability
        self.window = window

    def ranges(
        self, length: int, occurrences: Sequence[Range], chosen: int, rng: np.random.Generator
    ) -> QueryRanges:
        """Choose the window; see :class:`QueryTransform`."""
        start, end = check_occurrences(length, occurrences, chosen)
        drawn = int(rng.integers(self.minimum, self.maximum + 1))
        keep = bool(rng.random() < self.keep_probability) or end - start == length
        if self.window == "paper":
            return self._paper(length, (start, end), drawn, keep, rng)
        return self._released(length, (start, end), drawn, keep, rng)

    def _paper(
        self, length: int, span: Range, drawn: int, keep: bool, rng: np.random.Generator
    ) -> QueryRanges:
        start, end = span
        size = end - start
        if not keep and drawn <= size:
            drawn = size + self.minimum
        drawn = min(max(drawn, size), length)
        first = int(rng.integers(max(0, end - drawn), min(start, length - drawn) + 1))
        if keep:
            return QueryRanges(((first, first + drawn),), True, False)
        return _without_empty([(first, start), (end, first + drawn)])

    def _released(
        self, length: int, span: Range, drawn: int, keep: bool, rng: np.random.Generator
    ) -> QueryRanges:
        start, end = span
        size = end - start
        if size == length:
            return QueryRanges((span,), True, False)
        drawn = min(drawn, length - size)
        first = int(rng.integers(max(0, start - drawn), min(end, length - drawn - size) + 1))
        if keep:
            return QueryRanges(((first, first + drawn),), True, False)
        behind = drawn - max(0, start - first)
        return _without_empty([(first, start), (end, end + behind)])


def _without_empty(ranges: Sequence[Range]) -> QueryRanges:
    return QueryRanges(tuple((a, b) for a, b in ranges if a < b), False, False)
