"""Jobs shared by threads: every piece is done once, before the next job begins."""

from typing import no_type_check

import numpy as np
import pytest
from numba import get_num_threads, njit, prange

from jamba_reader.ops.machine.shared_work import (
    BOARD,
    end,
    give_back,
    is_over,
    leads,
    post,
    take,
    wait_for,
)


@njit
@no_type_check
def _work(board, threads, job, counts):
    while True:
        first, last = take(board, threads)
        if first == last:
            return
        for piece in range(first, last):
            counts[job[0], piece] += 1
            job[1] += 1 if piece < 0 else 0
        give_back(board, last - first)


@njit(parallel=True)
@no_type_check
def _run(board, threads, sizes, job, counts, finished):
    address = board.ctypes.data
    for _ in prange(threads):
        if leads(address):
            for number in range(len(sizes)):
                job[0] = number
                post(address, sizes[number])
                _work(address, threads, job, counts)
                wait_for(address, sizes[number])
                finished[number] = counts[number].sum()
            end(address)
        while not is_over(address):
            _work(address, threads, job, counts)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_piece_of_every_job_is_done_once(threads: int) -> None:
    """Also by more threads than there are: what is left of a loop comes when the rest is done."""
    sizes = np.random.default_rng(0).integers(0, 400, 40_000)
    sizes[:3] = 0, 1, 2
    counts = np.zeros((len(sizes), sizes.max()), np.int64)
    finished = np.zeros(len(sizes), np.int64)
    assert get_num_threads() >= 1
    _run(np.zeros(BOARD, np.int64), threads, sizes, np.zeros(2, np.int64), counts, finished)
    assert (finished == sizes).all()
    for row, size in zip(counts, sizes, strict=True):
        assert (row[:size] == 1).all()
        assert not row[size:].any()
