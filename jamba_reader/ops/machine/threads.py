"""How many threads the numba kernels use, and when."""

import numba
import torch

MANY = 1 << 15
"""Elements below which starting threads costs more than it saves (measured: 2 us a start)."""


def match_threads() -> int:
    """Set numba to as many threads as torch has, and return their number.

    So ``torch.set_num_threads`` decides for both; numba cannot have more than it began with.
    """
    threads: int = min(torch.get_num_threads(), numba.config.NUMBA_NUM_THREADS)
    if numba.get_num_threads() != threads:
        numba.set_num_threads(threads)
    return threads


def parts_of(elements: int) -> int:
    """Return into how many parts to divide a kernel's work, at most one per thread of torch."""
    return torch.get_num_threads() if elements >= MANY else 1
