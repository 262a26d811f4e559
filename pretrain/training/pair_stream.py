"""The endless sequence of batches of pairs: a pure function of seed and step."""

import logging
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from jaxtyping import Int64

from pretrain.pairings.pairing import PairExample, PreparedPairing
from spider.errors import ConfigError, DataError
from spider.printable import counted

logger = logging.getLogger(__name__)

SMALLEST_BATCH = 2
ORDER, DRAW = 1, 2


class PairStream:
    """Batches that mix pairings by weight, each pairing visited pass by pass.

    Every batch holds the same number of pairs of a pairing (weights rounded by largest remainder).
    So the step alone decides the position in a pairing's passes. Each pass has its own seeded
    order. A pairing with fewer pairs than its share gives all of them to every batch, and the
    others fill the batch: a few titles do not make the batch small.

    Args:
        pairings: the pairings by name; those without a pair are left out.
        weights: shares of a batch by name; a name that is missing weighs 1.
        batch_size: pairs in a batch; fewer if there are fewer pairs.
        seed: decides orders and draws.
        multiple: the batch size is a multiple of this (the number of processes).

    Attributes:
        batch_size: pairs in a batch.
        pairs: pairs in one pass of each pairing.
        counts: pairs of each pairing in a batch.

    Raises:
        DataError: there are too few pairs for a batch.
    """

    def __init__(
        self,
        pairings: Mapping[str, PreparedPairing],
        *,
        weights: Mapping[str, float],
        batch_size: int,
        seed: int,
        multiple: int = 1,
    ):
        _check_weights(pairings, weights)
        self.pairs = {name: len(pairing) for name, pairing in pairings.items()}
        used = {
            name: pairing
            for name, pairing in pairings.items()
            if len(pairing) and weights.get(name, 1.0) > 0
        }
        total = sum(len(pairing) for pairing in used.values())
        if total < SMALLEST_BATCH * multiple:
            raise DataError(
                f"nothing to train on: got {counted(total, 'pair')} ({self.pairs}), expected at "
                f"least {SMALLEST_BATCH * multiple}; use more or longer documents"
            )
        self._pairings = used
        self._seed = seed
        shares = {name: weights.get(name, 1.0) for name in used}
        self.batch_size, reason = settle_batch_size(batch_size, total, multiple)
        if reason:
            logger.info("batch_size=%d %s; using %d", batch_size, reason, self.batch_size)
        self.counts = fill_up(self.batch_size, shares, {name: self.pairs[name] for name in used})
        self._order = lru_cache(maxsize=2 * len(used))(self._make_order)

    def examples(self, step: int) -> list[PairExample]:
        """Draw the batch of a step, counted from 0."""
        rng = np.random.default_rng([self._seed, DRAW, step])
        drawn = []
        for number, (name, count) in enumerate(self.counts.items()):
            pairing = self._pairings[name]
            for place in range(step * count, (step + 1) * count):
                turn, offset = divmod(place, len(pairing))
                drawn.append(pairing.example(int(self._order(number, turn)[offset]), rng))
        return drawn

    def _make_order(self, number: int, turn: int) -> Int64[np.ndarray, " pairs"]:
        pairing = list(self._pairings.values())[number]
        return pairing.order(np.random.default_rng([self._seed, ORDER, number, turn]))


def settle_batch_size(wanted: int, pairs: int, processes: int) -> tuple[int, str]:
    """Return the batch size, and why it differs from the wanted one ("" if it does not).

    Args:
        wanted: the configured batch size.
        pairs: pairs of all pairings, at least two for each process.
        processes: each gets the same number of pairs.
    """
    smallest = max(SMALLEST_BATCH, processes)
    size = min(wanted, pairs)
    size = max(size - size % processes, smallest + -smallest % processes)
    if size == wanted:
        return size, ""
    if size > wanted:
        return size, f"is too small for {processes} processes and a negative in each batch"
    if pairs < wanted:
        return size, f"exceeds the number of pairs, {pairs}"
    return size, f"is no multiple of {processes} processes"


def share_out(total: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Split ``total`` by weight with the largest-remainder rule; ties go to the first name."""
    whole = sum(weights.values())
    exact = {name: total * weight / whole for name, weight in weights.items()}
    counts = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: counts[name] - exact[name])
    for name in by_remainder[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


def fill_up(total: int, weights: Mapping[str, float], pairs: Mapping[str, int]) -> dict[str, int]:
    """Split ``total`` by weight; the part for which a name has too few pairs goes to the others.

    Args:
        total: at most the sum of ``pairs``.
        weights: above 0.
        pairs: the most that each name can give.
    """
    full: dict[str, int] = {}
    while True:
        left = {name: weight for name, weight in weights.items() if name not in full}
        counts = share_out(total - sum(full.values()), left) if left else {}
        over = {name: pairs[name] for name, count in counts.items() if count > pairs[name]}
        if not over:
            return {name: full[name] if name in full else counts[name] for name in weights}
        full |= over


def _check_weights(pairings: Mapping[str, object], weights: Mapping[str, float]) -> None:
    unknown = sorted(set(weights) - set(pairings))
    if unknown:
        raise ConfigError(f"weights of {unknown}, no pairings; expected some of {sorted(pairings)}")
    negative = {name: weight for name, weight in weights.items() if weight < 0}
    if negative:
        raise ConfigError(f"weights {negative}: expected numbers from 0")
