"""How many threads the numba kernels use, and when."""

import numba
import torch

from jamba_reader.ops.forks import refuse_forks

MANY = 1 << 15
"""Elements below which starting threads costs more than it saves (measured: 2 us a start)."""


def match_threads() -> int:
    """Set numba to as many threads as torch has, and return their number.

    So ``torch.set_num_threads`` decides for both; numba cannot have more than it began with. Every
    parallel kernel runs behind a call of this function: the first start of numba's threads sets
    OpenMP's number, which is torch's as well, to all cores.

    Raises:
        ConfigError: this process was forked from one that had run the model.
    """
    refuse_forks()
    of_torch = torch.get_num_threads()
    threads: int = min(of_torch, numba.config.NUMBA_NUM_THREADS)
    # asking starts the threads
    if numba.get_num_threads() != threads:
        numba.set_num_threads(threads)
    if torch.get_num_threads() != of_torch:
        torch.set_num_threads(of_torch)
    return threads


def parts_of(elements: int) -> int:
    """Return into how many parts to divide a kernel's work, at most one per thread of torch.

    Raises:
        ConfigError: this process was forked from one that had run the model.
    """
    if elements < MANY:
        return 1
    match_threads()
    return torch.get_num_threads()
