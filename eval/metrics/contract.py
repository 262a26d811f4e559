"""The contract of a metric: its name in reports, and its value for each question.

A metric is one module of this folder with a constant ``METRIC``; :mod:`eval.metrics.measures`
finds it. A measure is a metric at a cut-off k, such as ``top_20``.
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Integer

from eval.matching.first_hits import Graded

CUTOFF = "{k}"


class Judged(NamedTuple):
    """The judged ranking of each question.

    Attributes:
        relevance: whether the passage at each rank is a hit.
        ranks: rank of each question's first hit, from 1; 0 where there is none.
        graded: the judgements; None where hits are found by matching answers, since the number of
            relevant passages is then unknown.
    """

    relevance: Bool[np.ndarray, "questions depth"]
    ranks: Integer[np.ndarray, " questions"]
    graded: Graded | None


class Metric(NamedTuple):
    """A metric of retrieval: higher is better, from 0 to 1.

    Attributes:
        name: the measure's name in files and settings; ``{k}`` stands for the cut-off.
        label: the measure's name in tables.
        cutoffs: whether it is computed at every k of a report, or only at the largest.
        needs_relevant: whether it needs the number of relevant passages.
        place: metrics appear in a report in ascending order of this number.
        values: returns one value for each question, from the first ``k`` ranks.
    """

    name: str
    label: str
    cutoffs: Literal["every", "largest"]
    needs_relevant: bool
    place: int
    values: Callable[[Judged, int], Float64[np.ndarray, " questions"]]

    def name_at(self, k: int) -> str:
        """Return the measure's name at a cut-off."""
        return self.name.replace(CUTOFF, str(k))

    def label_of(self, measure: str) -> str | None:
        """Return the label of a measure's name; None if the name belongs to another metric."""
        pattern = re.escape(self.name).replace(re.escape(CUTOFF), r"(?P<k>\d+)")
        found = re.fullmatch(pattern, measure)
        if found is None:
            return None
        return self.label.replace(CUTOFF, found.groupdict().get("k", ""))
