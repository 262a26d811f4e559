import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pretrain.pairings.pairing import PairExample
from pretrain.training.pair_stream import PairStream, settle_batch_size, share_out
from spider.errors import ConfigError, DataError


class Numbered:
    """A pairing whose positives name the pair."""

    def __init__(self, first: int, size: int):
        self._first = first
        self._size = size

    def __len__(self) -> int:
        return self._size

    def order(self, rng: np.random.Generator) -> np.ndarray:
        return rng.permutation(self._size)

    def example(self, index: int, rng: np.random.Generator) -> PairExample:
        return PairExample(rng.integers(0, 9, 2), self._first + index)


def _stream(**options: object) -> PairStream:
    pairings = {"a": Numbered(0, 10), "b": Numbered(100, 7)}
    defaults: dict[str, object] = {"weights": {"a": 3.0}, "batch_size": 4, "seed": 5}
    return PairStream(pairings, **(defaults | options))  # type: ignore[arg-type]


def _positives(stream: PairStream, steps: range) -> list[int]:
    return [example.positive for step in steps for example in stream.examples(step)]


def test_each_pass_visits_every_pair_once() -> None:
    drawn = np.array(_positives(_stream(), range(20)))  # 60 of a = 6 passes, 20 of b
    first = drawn[drawn < 100]
    assert len(first) == 60
    for turn in range(6):
        assert sorted(first[10 * turn : 10 * turn + 10].tolist()) == list(range(10))
    assert first[:10].tolist() != first[10:20].tolist()


def test_a_batch_depends_on_seed_and_step_alone() -> None:
    forward, fresh = _stream(), _stream()
    forward.examples(0)
    forward.examples(7)
    for one, other in zip(forward.examples(3), fresh.examples(3), strict=True):
        assert np.array_equal(one.query, other.query)
        assert one.positive == other.positive
    assert _positives(fresh, range(5)) != _positives(_stream(seed=6), range(5))


def test_shares_by_largest_remainder() -> None:
    assert share_out(10, {"a": 0.5, "b": 0.4, "c": 0.1}) == {"a": 5, "b": 4, "c": 1}
    assert share_out(4, {"a": 1.0, "b": 1.0, "c": 1.0}) == {"a": 2, "b": 1, "c": 1}


def test_a_batch_shrinks_to_the_pairs_there_are(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        stream = _stream(batch_size=1000)
    assert stream.batch_size == 17  # all there are
    assert stream.counts == {"a": 10, "b": 7}
    assert "batch_size=1000" in caplog.text


def test_a_small_pairing_lowers_its_own_share_and_not_the_batch() -> None:
    pairings = {"span": Numbered(0, 400), "crop": Numbered(1000, 2000), "title": Numbered(9000, 3)}
    weights = {"span": 0.5, "crop": 0.4, "title": 0.1}
    stream = PairStream(pairings, weights=weights, batch_size=600, seed=0)
    # the 57 that titles lack go to the others, as 5 to 4
    assert stream.counts == {"span": 332, "crop": 265, "title": 3}
    large = PairStream(pairings, weights=weights, batch_size=1024, seed=0)
    assert large.counts == {"span": 400, "crop": 621, "title": 3}


NAMES = "abcd"


@given(
    pairs=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    weights=st.lists(st.floats(0.05, 3.0), min_size=4, max_size=4),
    batch_size=st.integers(1, 150),
    multiple=st.integers(1, 3),
)
def test_no_pair_comes_twice_in_a_batch_that_is_as_large_as_can_be(
    pairs: list[int], weights: list[float], batch_size: int, multiple: int
) -> None:
    total = sum(pairs)
    if total < 2 * multiple:
        return
    sizes = dict(zip(NAMES, pairs, strict=False))
    stream = PairStream(
        {name: Numbered(100 * n, size) for n, (name, size) in enumerate(sizes.items())},
        weights=dict(zip(NAMES[: len(pairs)], weights, strict=False)),
        batch_size=batch_size,
        seed=0,
        multiple=multiple,
    )
    wanted = max(min(batch_size, total), 2, multiple)
    assert stream.batch_size == wanted // multiple * multiple
    assert sum(stream.counts.values()) == stream.batch_size
    # the first passes, so that no batch reaches over the end of one
    positives = [example.positive for example in stream.examples(0)]
    assert len(set(positives)) == len(positives)
    shares = dict(zip(NAMES, weights, strict=True))
    short = {name for name, size in sizes.items() if stream.counts[name] < size}
    for one in short:
        for other in stream.counts:
            # who has pairs left has no less than any other, by weight, rounding aside
            fair = stream.counts[other] / shares[other] * shares[one]
            assert stream.counts[one] + 1 + shares[one] / shares[other] >= fair


def test_processes_share_a_batch_evenly() -> None:
    assert _stream(batch_size=11, multiple=4).batch_size == 8


def test_nothing_to_train_on_is_one_line() -> None:
    with pytest.raises(DataError, match=r"nothing to train on: got 1 pair \("):
        PairStream({"a": Numbered(0, 1)}, weights={}, batch_size=8, seed=0)


def test_unknown_weights_are_named() -> None:
    with pytest.raises(ConfigError, match="titel"):
        _stream(weights={"titel": 1.0})
    with pytest.raises(ConfigError, match="from 0"):
        _stream(weights={"a": -1.0})


@pytest.mark.parametrize(
    ("wanted", "pairs", "processes", "size", "reason"),
    [
        (31, 1000, 2, 30, "is no multiple of 2 processes"),
        (32, 1000, 2, 32, ""),
        (31, 1000, 1, 31, ""),
        (31, 20, 2, 20, "exceeds the number of pairs, 20"),
        (31, 21, 2, 20, "exceeds the number of pairs, 21"),
        (1, 1000, 1, 2, "is too small for 1 processes and a negative in each batch"),
        (2, 1000, 4, 4, "is too small for 4 processes and a negative in each batch"),
        (5, 1000, 3, 3, "is no multiple of 3 processes"),
    ],
)
def test_another_batch_size_has_its_own_reason(
    wanted: int, pairs: int, processes: int, size: int, reason: str
) -> None:
    assert settle_batch_size(wanted, pairs, processes) == (size, reason)
