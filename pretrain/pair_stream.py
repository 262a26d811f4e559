"""The endless sequence of batches of pairs: a pure function of seed and step."""

import logging
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from jaxtyping import Int64

from pretrain.pairings.pairing import PairExample, PreparedPairing
from spider.errors import ConfigError, DataError

logger = logging.getLogger(__name__)

SMALLEST_BATCH = 2
ORDER, DRAW = 1, 2


class PairStream:
    """Batches that mix pairings by weight, each pairing visited pass by pass.

    Every batch holds the same number of pairs of a pairing (weights rounded by largest remainder),
    so that the place in a pairing's passes follows from the step alone. Each pass has its own
    seeded order.

    Args:
        pairings: by name; those without a pair are left out.
        weights: shares of a batch by name; a name that is missing weighs 1.
        batch_size: pairs in a batch; fewer where a pass has not that many.
        seed: of orders and draws.
        multiple: the batch size is a multiple of this (the number of processes).

    Attributes:
        batch_size: pairs in a batch.
        pairs: pairs in one pass of each pairing.
        counts: pairs of each pairing in a batch.

    Raises:
        DataError: no pairing has a pair, or all have just one.
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
                f"nothing to train on: got {total} pairs ({self.pairs}), expected at least "
                f"{SMALLEST_BATCH * multiple}; use more or longer documents"
            )
        self._pairings = used
        self._seed = seed
        shares = {name: weights.get(name, 1.0) for name in used}
        size = _fitting_size(shares, {name: len(p) for name, p in used.items()}, batch_size)
        self.batch_size = max(SMALLEST_BATCH, size) // multiple * multiple or multiple
        if self.batch_size < batch_size:
            logger.warning(
                "batch_size=%d exceeds the pairs there are (%s); using %d",
                batch_size,
                self.pairs,
                self.batch_size,
            )
        self.counts = share_out(self.batch_size, shares)
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


def share_out(total: int, weights: Mapping[str, float]) -> dict[str, int]:
    """Split ``total`` by weight with the largest-remainder rule; ties go to the first name."""
    whole = sum(weights.values())
    exact = {name: total * weight / whole for name, weight in weights.items()}
    counts = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: counts[name] - exact[name])
    for name in by_remainder[: total - sum(counts.values())]:
        counts[name] += 1
    return counts


def _fitting_size(weights: Mapping[str, float], pairs: Mapping[str, int], batch_size: int) -> int:
    """Return the largest batch in which no pairing's pass is visited more than once."""
    whole = sum(weights.values())
    return min(batch_size, *(int(pairs[name] * whole / weights[name]) for name in weights))


def _check_weights(pairings: Mapping[str, object], weights: Mapping[str, float]) -> None:
    unknown = sorted(set(weights) - set(pairings))
    if unknown:
        raise ConfigError(f"weights of {unknown}, which are no pairings; have {sorted(pairings)}")
    negative = {name: weight for name, weight in weights.items() if weight < 0}
    if negative:
        raise ConfigError(f"weights {negative}: expected numbers from 0")
