import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from spider.questions.transforms.mask import Mask
from spider.questions.transforms.query_ranges import QueryTransform

RNG = np.random.default_rng(0)


def test_every_occurrence_becomes_one_mask():
    result = Mask().ranges(7, [(0, 2), (4, 5)], 0, RNG)
    assert result.masked
    assert result.take("abcdefg", "M") == ["M", "c", "d", "M", "f", "g"]
    assert result.take("abcdefg") == list("cdfg")


def test_mask_at_the_end_and_touching_occurrences():
    result = Mask().ranges(6, [(2, 4), (4, 6)], 1, RNG)
    assert result.take("abcdef", "M") == ["a", "b", "M"]


def test_without_insertion_occurrences_are_deleted():
    result = Mask(insert_mask=False).ranges(4, [(0, 2)], 0, RNG)
    assert result.take("abcd", "M") == ["c", "d"]
    assert result.ranges == ((2, 4),)


def test_passage_of_nothing_but_the_span_is_kept():
    result = Mask().ranges(2, [(0, 2)], 0, RNG)
    assert result.kept_span
    assert result.take("ab", "M") == ["a", "b"]


@given(st.integers(1, 30), st.data())
def test_kept_and_masked_make_the_whole_passage(length, data):
    starts = data.draw(st.lists(st.integers(0, length - 1), min_size=1, max_size=4))
    occurrences = [(start, min(length, start + 3)) for start in sorted(starts)]
    result = Mask().ranges(length, occurrences, 0, RNG)
    units = set(result.take(range(length)))
    covered = {unit for start, end in occurrences for unit in range(start, end)}
    assert units
    if result.kept_span:
        assert len(covered) == length
    else:
        assert units == set(range(length)) - covered


def test_is_a_query_transform():
    assert isinstance(Mask(), QueryTransform)
