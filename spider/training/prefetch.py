"""Makes batches in a background thread while earlier steps are computed."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Batch = TypeVar("Batch")


def prefetch(
    make: Callable[[int], Batch], start: int, stop: int, *, ahead: int = 2
) -> Iterator[Batch]:
    """Yield ``make(start) … make(stop - 1)`` in order.

    One thread works ``ahead`` batches in advance. A batch depends on its step alone, so neither the
    thread's timing nor a resumed run changes it.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch") as pool:
        waiting: deque[Future[Batch]] = deque()
        try:
            for step in range(start, stop):
                while len(waiting) <= ahead and step + len(waiting) < stop:
                    waiting.append(pool.submit(make, step + len(waiting)))
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
