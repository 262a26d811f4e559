"""Blocks of texts for packed inference: as many tokens as fit a budget, without padding."""

from bisect import bisect_right

import numpy as np
from jaxtyping import Int64

Numbers = Int64[np.ndarray, " _"]


def blocks_of(lengths: Int64[np.ndarray, " texts"], tokens: int) -> list[Numbers]:
    """Group texts so that the tokens of each group fit a budget and little of it is left.

    The longest text that is left begins a block; then the longest that fits the rest is added, as
    often as one fits. A text longer than the budget is a block alone.

    Args:
        lengths: tokens of each text.
        tokens: the budget.
    """
    order = np.argsort(lengths, kind="stable").tolist()
    sizes = lengths[order].tolist()
    blocks = []
    while order:
        block, left = [order.pop()], tokens - sizes.pop()
        while (place := bisect_right(sizes, left)) > 0:
            left -= sizes.pop(place - 1)
            block.append(order.pop(place - 1))
        blocks.append(np.array(block, dtype=np.int64))
    return blocks
