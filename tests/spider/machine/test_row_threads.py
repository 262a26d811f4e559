import pytest
import torch

from spider.machine.row_threads import in_threads


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("rows", [0, 1, 7, 64, 1000])
def test_every_row_is_done_once(rows, threads, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    done = [0] * rows

    def work(first, last):
        for row in range(first, last):
            done[row] += 1

    in_threads(rows, work, at_least=3)
    assert done == [1] * rows


def test_an_error_of_a_row_is_raised(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)

    def work(first, last):
        if last == 100:
            raise ValueError("row 99")

    with pytest.raises(ValueError, match="row 99"):
        in_threads(100, work, at_least=1)
