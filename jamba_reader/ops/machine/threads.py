"""How many threads numba's kernels run on."""

import numba
import torch


def match_threads() -> int:
    """Have numba use as many threads as torch, and return their number.

    ``torch.set_num_threads`` is then the one place that says how many; numba cannot have more than
    it began with.
    """
    threads: int = min(torch.get_num_threads(), numba.config.NUMBA_NUM_THREADS)
    if numba.get_num_threads() != threads:
        numba.set_num_threads(threads)
    return threads
