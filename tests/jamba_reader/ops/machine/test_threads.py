"""How many threads the kernels use: as many as torch, if numba has them."""

from collections.abc import Iterator

import numba
import pytest
import torch

from jamba_reader.ops.machine.threads import MANY, match_threads, parts_of


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    match_threads()


def test_torch_decides_for_both() -> None:
    torch.set_num_threads(1)
    assert match_threads() == 1
    assert numba.get_num_threads() == 1


def test_numba_never_gets_more_than_it_began_with(monkeypatch: pytest.MonkeyPatch) -> None:
    most = numba.config.NUMBA_NUM_THREADS
    monkeypatch.setattr(torch, "get_num_threads", lambda: most + 5)
    assert match_threads() == most
    assert numba.get_num_threads() == most


def test_small_work_stays_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 6)
    assert parts_of(MANY - 1) == 1
    assert parts_of(MANY) == 6
