"""Intervals of means and tests between systems, by resampling whole clusters.

Questions that share a document are not independent. They form one cluster, which stays together in
every resample and every sign flip. A mean is micro (over questions) or macro (over the means of the
groups); micro is macro with a single group.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int64

from spider.question import Averaging, Question

# numbers drawn together: 64 MB of doubles
_BLOCK = 8_000_000


class Sampling(NamedTuple):
    """The cluster and the group of each question, as numbers from 0.

    Attributes:
        clusters: the unit that is resampled.
        groups: all 0 when averaging is micro.
    """

    clusters: Int64[np.ndarray, " questions"]
    groups: Int64[np.ndarray, " questions"]

    @classmethod
    def of(cls, questions: Sequence[Question], averaging: Averaging) -> "Sampling":
        """Number clusters and groups; a question without a cluster name is its own cluster."""
        # the key is a pair, so the name of a cluster never equals the id of a question
        names = [(q.cluster, "") if q.cluster else ("", q.id) for q in questions]
        groups = [q.group if averaging == "macro" else "" for q in questions]
        return cls(_numbers(names), _numbers(groups))

    @property
    def n_clusters(self) -> int:
        """Number of independent units."""
        return int(self.clusters.max()) + 1 if len(self.clusters) else 0

    @property
    def n_groups(self) -> int:
        """Number of groups averaged over."""
        return int(self.groups.max()) + 1 if len(self.groups) else 0

    def weights(self) -> Float64[np.ndarray, " questions"]:
        """Return the weight of each question in the mean; they sum to 1."""
        sizes = np.bincount(self.groups)
        shares: Float64[np.ndarray, " questions"] = 1.0 / (sizes[self.groups] * len(sizes))
        return shares


def mean(
    values: Float64[np.ndarray, "questions columns"], sampling: Sampling
) -> Float64[np.ndarray, " columns"]:
    """Return the micro or macro mean of each column; 0 where there is no question."""
    if len(values) == 0:
        return np.zeros(values.shape[1])
    means: Float64[np.ndarray, " columns"] = sampling.weights() @ values
    return means


def bootstrap_means(
    values: Float64[np.ndarray, "questions columns"],
    sampling: Sampling,
    *,
    resamples: int,
    seed: int,
) -> Float64[np.ndarray, "resamples columns"]:
    """Return the means of data sets made by drawing the same number of clusters, with replacement.

    All columns use the same resamples, so differences of columns are paired. Clusters are drawn
    within strata: a stratum has the clusters whose questions are of the same groups. So the groups
    are fixed and keep their sizes. With micro averaging there is one group, and one stratum.

    Args:
        values: one column for each system and measure.
        sampling: clusters and groups of the questions.
        resamples: number of data sets.
        seed: seed of the random generator.

    Source: Efron and Tibshirani 1993, chapters 6 and 13; Davison and Hinkley 1997, section 3.8
    (resampling whole clusters), 3.2 (within strata).
    """
    columns, clusters, groups = values.shape[1], sampling.n_clusters, sampling.n_groups
    means = np.zeros((resamples, columns))
    if clusters == 0:
        return means
    sums = np.zeros((clusters, groups, columns))
    np.add.at(sums, (sampling.clusters, sampling.groups), values)
    sizes = np.zeros((clusters, groups))
    np.add.at(sizes, (sampling.clusters, sampling.groups), 1.0)
    strata = _strata(sizes > 0)
    generator = np.random.default_rng(seed)
    for first, last in _blocks(resamples, clusters):
        counts = np.empty((last - first, clusters))
        for members in strata:
            counts[:, members] = _cluster_counts(generator, last - first, len(members))
        drawn = (counts @ sums.reshape(clusters, -1)).reshape(-1, groups, columns)
        # no group is empty: each is in every cluster of at least one stratum
        means[first:last] = (drawn / (counts @ sizes)[:, :, None]).mean(axis=1)
    return means


def percentile_interval(
    samples: Float64[np.ndarray, "resamples columns"], confidence: float
) -> tuple[Float64[np.ndarray, " columns"], Float64[np.ndarray, " columns"]]:
    """Return the lower and upper ends of each column's central interval."""
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(samples, [tail, 1.0 - tail], axis=0)
    return low, high


def sign_flip_test(
    differences: Float64[np.ndarray, " questions"],
    sampling: Sampling,
    *,
    resamples: int,
    seed: int,
) -> float:
    """Return the two-sided p-value of "the two systems are exchangeable in every cluster".

    The statistic is the mean difference. Under the hypothesis, the weighted sum of differences of
    each cluster could have the other sign as well. If there are at most ``resamples`` patterns of
    signs, all are used and p is exact. Otherwise patterns are drawn, the observed one counts as one
    of them, and p is at least 1 / (resamples + 1).

    Args:
        differences: one system's value minus the other's, for each question.
        sampling: clusters and groups of the questions.
        resamples: number of sign patterns drawn.
        seed: seed of the random generator.

    Source: Fisher 1935; Smucker, Allan and Carterette 2007 (paired randomisation in retrieval).
    """
    sums = np.zeros(sampling.n_clusters)
    if len(differences):
        np.add.at(sums, sampling.clusters, sampling.weights() * differences)
    scale = float(np.abs(sums).sum())
    # clusters that favour neither system do not change the statistic
    sums = sums[np.abs(sums) > 1e-12 * scale]
    if len(sums) == 0:
        return 1.0
    # sums in another order differ in the last digits and count as ties
    threshold = abs(float(sums.sum())) - 1e-9 * scale
    if len(sums) < 63 and 2 ** len(sums) <= resamples:
        patterns = np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums)) & 1
        return float(np.mean(np.abs((2.0 * patterns - 1.0) @ sums) >= threshold))
    generator = np.random.default_rng(seed)
    extreme = 0
    for first, last in _blocks(resamples, len(sums)):
        bits = generator.integers(0, 2, size=(last - first, len(sums)), dtype=np.int8)
        extreme += int(np.sum(np.abs((2.0 * bits - 1.0) @ sums) >= threshold))
    return (1 + extreme) / (1 + resamples)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for testing them all, in the order given.

    Source: Holm 1979, step-down: the i-th smallest of m is multiplied by m - i + 1, and an
    adjusted value is never below a smaller p's.
    """
    adjusted = [0.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        running = max(running, (len(p_values) - rank) * p_values[index])
        adjusted[index] = min(1.0, running)
    return adjusted


def _strata(
    has: Bool[np.ndarray, "clusters groups"],
) -> list[Int64[np.ndarray, " members"]]:
    kinds, kind_of = np.unique(has, axis=0, return_inverse=True)
    return [np.flatnonzero(kind_of.ravel() == kind) for kind in range(len(kinds))]


def _cluster_counts(
    generator: np.random.Generator, resamples: int, clusters: int
) -> Float64[np.ndarray, "resamples clusters"]:
    drawn = generator.integers(0, clusters, size=(resamples, clusters))
    drawn += np.arange(resamples)[:, None] * clusters
    counts = np.bincount(drawn.ravel(), minlength=resamples * clusters)
    return counts.reshape(resamples, clusters).astype(np.float64)


def _blocks(resamples: int, width: int) -> Iterator[tuple[int, int]]:
    size = max(1, _BLOCK // max(width, 1))
    for first in range(0, resamples, size):
        yield first, min(first + size, resamples)


def _numbers(names: Sequence[object]) -> Int64[np.ndarray, " questions"]:
    known: dict[object, int] = {}
    return np.array([known.setdefault(name, len(known)) for name in names], dtype=np.int64)
