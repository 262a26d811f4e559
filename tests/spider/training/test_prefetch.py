import pytest

from spider.training.prefetch import prefetch


def test_batches_come_in_order_each_made_once() -> None:
    made = []

    def make(step: int) -> int:
        made.append(step)
        return step * step

    assert list(prefetch(make, 3, 8)) == [9, 16, 25, 36, 49]
    assert made == [3, 4, 5, 6, 7]


def test_an_error_reaches_the_loop() -> None:
    def make(step: int) -> int:
        if step == 2:
            raise ValueError("batch 2")
        return step

    batches = prefetch(make, 0, 5)
    assert next(batches) == 0
    assert next(batches) == 1
    with pytest.raises(ValueError, match="batch 2"):
        next(batches)
