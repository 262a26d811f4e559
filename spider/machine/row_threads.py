"""Python threads around compiled kernels that release the lock.

They are not numba's threads: numba's default threading layer aborts the process when two Python
threads use it at once, as in a search server.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

TASKS_PER_THREAD = 8


def in_threads(rows: int, work: Callable[[int, int], None], *, at_least: int) -> None:
    """Run ``work(first, last)`` over all rows, in as many threads as torch uses.

    Args:
        rows: number of rows.
        work: does rows ``first`` to ``last`` (exclusive). The result may not depend on the bounds.
        at_least: rows of a call; fewer are not worth a thread.
    """
    threads = 1 if rows <= at_least else _threads()
    if threads == 1:
        work(0, rows)
        return
    size = max(at_least, -(-rows // (TASKS_PER_THREAD * threads)))
    tasks = [
        _pool(threads).submit(work, first, min(first + size, rows))
        for first in range(0, rows, size)
    ]
    for task in tasks:
        task.result()


def _threads() -> int:
    # importing torch takes a second, and a few rows do not need it
    import torch

    return torch.get_num_threads()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="rows")
