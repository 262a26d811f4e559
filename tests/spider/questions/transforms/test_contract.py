"""What every query transform keeps. A new one is one entry in ``TRANSFORMS``."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.launch.verbs import FOLDER
from spider.questions.transforms.mask import Mask
from spider.questions.transforms.prefix import Prefix
from spider.questions.transforms.query_ranges import QueryRanges, QueryTransform
from spider.questions.transforms.random_window import RandomWindow

TRANSFORMS: dict[str, QueryTransform] = {
    "mask": Mask(),
    "mask, no unit for it": Mask(insert_mask=False),
    "prefix": Prefix(),
    "prefix, short": Prefix(minimum=1, maximum=2),
    "random_window": RandomWindow(),
    "random_window, released": RandomWindow(window="released"),
    "random_window, always kept": RandomWindow(keep_probability=1.0),
    "random_window, never kept": RandomWindow(keep_probability=0.0, minimum=1, maximum=3),
}


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]], int, int]:
    """Draw a passage's length, the span's occurrences in it, the chosen one, and a seed."""
    width = draw(st.integers(1, 6))
    gaps = draw(st.lists(st.integers(0, 12), min_size=1, max_size=4))
    occurrences, at = [], 0
    for gap in gaps:
        at += gap
        occurrences.append((at, at + width))
        at += width
    # another unit than the span's, so that a query can be made without it
    length = at + draw(st.integers(1, 20))
    chosen = draw(st.integers(0, len(occurrences) - 1))
    return length, occurrences, chosen, draw(st.integers(0, 2**32 - 1))


def make(name: str, case: tuple[int, list[tuple[int, int]], int, int]) -> QueryRanges:
    length, occurrences, chosen, seed = case
    return TRANSFORMS[name].ranges(length, occurrences, chosen, np.random.default_rng(seed))


def test_every_yaml_of_the_family_is_tested() -> None:
    files = {path.stem for path in Path(FOLDER / "query_transform").glob("*.yaml")}
    assert {name.split(",")[0] for name in TRANSFORMS} <= files


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
@given(case=cases())
def test_ranges_are_ascending_and_inside(name: str, case: tuple) -> None:
    found = make(name, case)
    before = 0
    for start, end in found.ranges:
        assert before <= start <= end <= case[0]
        before = end
    assert found.take(range(case[0])), "at least one unit"
    assert isinstance(TRANSFORMS[name], QueryTransform)


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
@given(case=cases())
def test_the_seed_decides(name: str, case: tuple) -> None:
    assert make(name, case) == make(name, case)


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
@given(case=cases())
def test_a_removed_occurrence_is_not_in_the_query(name: str, case: tuple) -> None:
    found = make(name, case)
    taken = set(found.take(range(case[0])))
    if not found.kept_span:
        # the chosen one; a prefix is made around the first
        gone = [occurrence for occurrence in case[1] if not taken & set(range(*occurrence))]
        assert gone, "the tag says that the span is removed"


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
@given(case=cases())
def test_a_mask_unit_stands_only_where_the_transform_masks(name: str, case: tuple) -> None:
    found = make(name, case)
    units = list(range(case[0]))
    with_mask = found.take(units, mask=-1)
    assert [unit for unit in with_mask if unit != -1] == found.take(units)
    masks = with_mask.count(-1)
    assert masks == (len(found.ranges) - 1 if found.masked else 0)


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
@pytest.mark.parametrize(
    ("occurrences", "chosen"),
    [([], 0), ([(0, 1)], 1), ([(2, 2)], 0), ([(3, 9)], 0), ([(-1, 1)], 0)],
)
def test_impossible_occurrences_are_refused(name: str, occurrences: list, chosen: int) -> None:
    with pytest.raises(ValueError, match="occurrence"):
        TRANSFORMS[name].ranges(5, occurrences, chosen, np.random.default_rng(0))
