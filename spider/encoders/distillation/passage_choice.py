"""Which passages a teacher encodes: some to fit the student to, others to measure it on."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

HELD_OUT = 1_000
HELD_OUT_SHARE = 0.1


class PassageChoice(NamedTuple):
    """Positions of a corpus in a random order.

    Attributes:
        held_out: passages that the student is measured on.
        rest: the others; a sample is the first of them, so a larger one holds a smaller one.
    """

    held_out: Int64[np.ndarray, " held_out"]
    rest: Int64[np.ndarray, " rest"]


def choose_passages(passages: int, *, seed: int) -> PassageChoice:
    """Hold out a tenth of a corpus, at most 1,000 passages and at least one of two."""
    order = np.random.default_rng(seed).permutation(passages)
    held_out = min(HELD_OUT, -(-passages // round(1 / HELD_OUT_SHARE)), passages - 1)
    return PassageChoice(order[:held_out], order[held_out:])


def sample_sizes(available: int, *, first: int, largest: int) -> list[int]:
    """Return the sizes to try, ascending: the largest possible one, halved down to ``first``."""
    sizes = [min(available, largest)]
    while sizes[-1] // 2 >= first:
        sizes.append(sizes[-1] // 2)
    return sizes[::-1]
