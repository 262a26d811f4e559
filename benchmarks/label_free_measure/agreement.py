"""How well a label-free measure orders systems: Kendall's tau over pairs that differ."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from scipy.stats import norm

SIGNIFICANT = 0.05


def significant_pairs(
    hits: np.ndarray, clusters: np.ndarray, level: float = SIGNIFICANT
) -> list[tuple[int, int, int]]:
    """Return the pairs of systems that differ, with the sign of the difference.

    Args:
        hits: bool [systems, questions].
        clusters: the number of each question's cluster; those of one cluster are summed.
        level: of a two-sided test of the paired differences, for each pair.
    """
    found = []
    for first, second in combinations(range(len(hits)), 2):
        difference = hits[first].astype(float) - hits[second]
        sums = np.bincount(clusters, weights=difference)
        spread = np.sqrt((sums**2).sum())
        if spread and 2 * norm.sf(abs(sums.sum()) / spread) < level:
            found.append((first, second, int(np.sign(sums.sum()))))
    return found


def tau(values: np.ndarray, pairs: Sequence[tuple[int, int, int]]) -> float:
    """Return (concordant - discordant) / pairs; a tie of the measure counts as neither."""
    if not pairs:
        return float("nan")
    agree = [sign * np.sign(values[first] - values[second]) for first, second, sign in pairs]
    return float(np.mean(agree))


def leave_one_out(
    table: Mapping[str, Mapping[str, float]],
) -> dict[str, tuple[str, float]]:
    """Choose a candidate on all question sets but one, and return its tau on that one.

    Args:
        table: candidate -> question set -> tau.
    """
    sets = list(next(iter(table.values())))
    chosen = {}
    for left_out in sets:
        others = [name for name in sets if name != left_out]
        best = max(table, key=lambda one: float(np.nanmean([table[one][o] for o in others])))
        chosen[left_out] = (best, table[best][left_out])
    return chosen
