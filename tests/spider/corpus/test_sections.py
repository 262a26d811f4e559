"""Sections of large documents: how they are cut, what they hold, and a record that others open."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.artifacts.atomic_files import save_array
from spider.corpus.sections import LONGEST, RECORD, SHORTEST, Sections, cut_sections
from spider.corpus.split import (
    SECTIONS,
    TEST,
    TRAIN,
    VALIDATION,
    DocumentSplit,
    SplitRule,
    split_documents,
)
from spider.errors import ArtifactError

ROWS = np.array(
    [[1, 5, 8, TRAIN], [1, 8, 11, TRAIN], [1, 11, 15, TEST], [4, 20, 23, TRAIN], [4, 23, 27, 1]]
)


@given(first=st.integers(0, 9), passages=st.integers(30, 500))
def test_sections_cover_a_document_and_have_few_passages(first: int, passages: int) -> None:
    sections = cut_sections(range(first, first + passages))
    assert [p for section in sections for p in section] == list(range(first, first + passages))
    assert len(sections) >= 10
    assert {len(section) for section in sections[:-1]} <= set(range(SHORTEST, LONGEST + 1))
    assert len(sections[-1]) < 2 * LONGEST


def test_parts_and_neighbours() -> None:
    sections = Sections(ROWS)
    assert sections.of_part(TEST).tolist() == [[1, 11, 15, TEST]]
    assert sections.parts_of(np.array([5, 10, 11, 14, 26])).tolist() == [0, 0, 2, 2, 1]
    assert sections.outside(1, TRAIN).tolist() == [11, 12, 13, 14]
    assert sections.outside(4, VALIDATION).tolist() == [20, 21, 22]
    assert sections.outside(3, TRAIN).tolist() == []
    # sections of two documents are never joined
    assert sections.stretches().tolist() == [
        [1, 5, 11, TRAIN], [1, 11, 15, TEST], [4, 20, 23, TRAIN], [4, 23, 27, 1]
    ]  # fmt: skip
    assert Sections.none().stretches().tolist() == []


def test_the_record_is_read_again(tmp_path: Path) -> None:
    Sections(ROWS).save(tmp_path)
    assert np.array_equal(Sections.load(tmp_path, np.array([1, 4]), 3).rows, ROWS)


def changed(row: int, column: int, value: int) -> np.ndarray:
    rows = ROWS.copy()
    rows[row, column] = value
    return rows


@pytest.mark.parametrize(
    "rows",
    [
        ROWS.astype(np.int32), ROWS[:, :3], ROWS[:3], ROWS[::-1], changed(0, 3, 3),
        changed(0, 3, -1), changed(0, 2, 5), changed(0, 2, 9), changed(0, 0, 2),
    ],
)  # fmt: skip
def test_a_damaged_record_is_one_line(rows: np.ndarray, tmp_path: Path) -> None:
    save_array(tmp_path / RECORD, rows)
    with pytest.raises(ArtifactError, match=r"sections\.npy: got .*mine again"):
        Sections.load(tmp_path, np.array([1, 4]), 3)


def test_a_missing_record_is_none_where_no_document_needs_it(tmp_path: Path) -> None:
    assert not len(Sections.load(tmp_path, np.array([], dtype=np.int64), 3))
    with pytest.raises(ArtifactError, match="no such file"):
        Sections.load(tmp_path, np.array([1]), 3)


def book(passages: int) -> tuple[str, list[str]]:
    return ("Book", [f"passage {number}" for number in range(passages)])


NOTE = ("Note", ["one", "two", "three", "four"])


@pytest.mark.parametrize(
    ("documents", "sectioned"),
    [
        ([book(100)], [0]),
        ([NOTE, book(100), NOTE], [1]),
        ([book(30), book(40), NOTE, NOTE, NOTE], [0, 1]),
        ([book(29)], []),  # too short for ten sections
        ([book(30)] * 11, []),  # none of them is large beside the others
        ([NOTE] * 3, []),
    ],
)
def test_large_documents_are_split_by_sections(
    documents: list[Any], sectioned: list[int], make_corpus: Callable[..., Any]
) -> None:
    corpus = make_corpus(documents)
    split = split_documents(corpus, SplitRule())
    assert split.sectioned.tolist() == sectioned
    for number in sectioned:
        rows = split.sections.rows[split.sections.rows[:, 0] == number]
        total = len(rows)
        assert (rows[:, 3] == TEST).sum() == int(0.2 * total + 0.5)
        assert (rows[:, 3] == VALIDATION).sum() == int(0.1 * total + 0.5)
        assert len(split.withheld(number)) == sum(
            after - first for _, first, after, part in rows.tolist() if part != TRAIN
        )


def test_without_held_out_shares_nothing_is_cut(make_corpus: Callable[..., Any]) -> None:
    split = split_documents(
        make_corpus([book(100)]), SplitRule(validation_share=0.0, test_share=0.0)
    )
    assert split.parts.tolist() == [TRAIN]
    assert split.held_out_share() == 0.0


def test_a_document_that_is_not_usable_is_not_cut(make_corpus: Callable[..., Any]) -> None:
    usable = np.array([False, True])
    split = split_documents(make_corpus([book(100), book(100)]), SplitRule(), usable)
    assert split.sectioned.tolist() == [1]
    assert split.held_out_share() == pytest.approx(0.3, abs=0.02)
    assert DocumentSplit(np.array([TEST, TRAIN], dtype=np.uint8)).held_out_share() == 0.5


def test_the_split_is_saved_with_its_sections(
    make_corpus: Callable[..., Any], tmp_path: Path
) -> None:
    split = split_documents(make_corpus([book(100), NOTE]), SplitRule())
    split.save(tmp_path)
    again = DocumentSplit.load(tmp_path)
    assert again.parts.tolist() == split.parts.tolist() == [SECTIONS, TRAIN]
    assert np.array_equal(again.sections.rows, split.sections.rows)
