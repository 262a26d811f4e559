"""How many passages the teacher encodes: the sample grows until that hardly helps."""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

logger = logging.getLogger(__name__)

FIRST = 1_250
LARGEST = 20_000
ENOUGH = 0.01
"""A doubled sample that adds less than this to the held-out cosine is the last."""


class Growth(NamedTuple):
    """The samples that were tried.

    Attributes:
        sizes: passages of each sample, ascending.
        cosines: the mean cosine of student and teacher on held-out passages, after each fit.
        reason: why it stopped, for reports.
    """

    sizes: list[int]
    cosines: list[float]
    reason: str

    def describe(self) -> str:
        """Return the curve in words."""
        points = [
            f"{cosine:.3f} with {size:,} passages"
            for size, cosine in zip(self.sizes, self.cosines, strict=True)
        ]
        return f"held-out cosine {', '.join(points)}; {self.reason}"


def grow(sizes: Sequence[int], fit: Callable[[int], float], *, enough: float = ENOUGH) -> Growth:
    """Fit on growing samples.

    Args:
        sizes: the sizes to try, ascending; a single one is fitted and not judged.
        fit: fits a table on a number of passages and returns the held-out cosine.
        enough: stop after a gain below this.
    """
    tried: list[int] = []
    cosines: list[float] = []
    for size in sizes:
        tried.append(size)
        cosines.append(fit(size))
        logger.info("student of %d passages: held-out cosine %.4f", size, cosines[-1])
        if len(cosines) > 1 and cosines[-1] - cosines[-2] < enough:
            gain = cosines[-1] - cosines[-2]
            return Growth(tried, cosines, f"the last step added {gain:+.3f}, under {enough:g}")
    reason = "the size was given" if len(sizes) == 1 else f"{tried[-1]:,} is the largest sample"
    return Growth(tried, cosines, reason)
