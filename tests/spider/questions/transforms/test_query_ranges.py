import pytest

from spider.questions.transforms.mask import Mask
from spider.questions.transforms.prefix import Prefix
from spider.questions.transforms.query_ranges import (
    QueryRanges,
    QueryTransform,
    check_occurrences,
)
from spider.questions.transforms.random_window import RandomWindow

UNITS = list("abcdef")


def test_taking_ranges_by_hand() -> None:
    assert QueryRanges(((0, 2), (4, 6)), False, False).take(UNITS) == ["a", "b", "e", "f"]
    masked = QueryRanges(((0, 2), (4, 6)), False, True)
    assert masked.take(UNITS, "M") == ["a", "b", "M", "e", "f"]
    assert masked.take(UNITS) == ["a", "b", "e", "f"]


def test_an_empty_range_masks_at_an_edge() -> None:
    ranges = QueryRanges(((0, 0), (2, 4), (6, 6)), False, True)
    assert ranges.take(UNITS, "M") == ["M", "c", "d", "M"]


def test_the_chosen_occurrence_is_checked() -> None:
    assert check_occurrences(6, [(0, 2), (3, 6)], 1) == (3, 6)
    with pytest.raises(ValueError, match="occurrence 2 chosen, but the passage has 2"):
        check_occurrences(6, [(0, 2), (3, 6)], 2)
    for wrong in ((3, 3), (4, 7), (-1, 2)):
        with pytest.raises(ValueError, match="does not lie in a passage of 6 units"):
            check_occurrences(6, [wrong], 0)


@pytest.mark.parametrize("transform", [Mask(), Prefix(), RandomWindow()])
def test_every_transform_fulfils_the_protocol(transform: object) -> None:
    assert isinstance(transform, QueryTransform)
