"""The bm25s engine: lengths as Lucene rounds them, selection, and damaged files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.sparse import bm25s_index
from index.sparse.bm25s_index import Bm25s, load


def test_lengths_are_rounded_as_lucene_rounds_them() -> None:
    def one_byte(length: int) -> int:
        """SmallFloat.byte4ToInt(SmallFloat.intToByte4(length)), bit by bit."""
        if length < 24:
            return length
        rest = length - 24
        shift = max(rest.bit_length() - 4, 0)
        return 24 + (rest >> shift << shift)

    lengths = np.arange(0, 5_000)
    rounded = bm25s_index.lucene_length(lengths)
    assert rounded.tolist() == [one_byte(length) for length in lengths.tolist()]
    assert rounded[:41].tolist() == list(range(41))
    assert rounded[[41, 100, 1_000]].tolist() == [40, 96, 984]


def test_what_is_stored_for_one_term(passages: Any, tmp_path: Path) -> None:
    details = Bm25s().build(passages([("", "cat"), ("", ""), ("", "dog cat")]), tmp_path)
    assert (details["passages"], details["passages_without_terms"]) == (3, 1)
    assert details["terms"] == 2
    # one column for each term: cat is in passages 0 and 2, dog in 2
    assert np.load(tmp_path / "rows.npy").tolist() == [0, 2, 2]
    assert np.load(tmp_path / "starts.npy").tolist() == [0, 2, 3]
    # two passages with terms, of 1.5 on average; cat is in both, dog in one
    norm = 0.9 * (0.6 + 0.4 * np.array([1, 2, 2]) / 1.5)
    idf = np.log1p((2 - np.array([2, 2, 1]) + 0.5) / (np.array([2, 2, 1]) + 0.5))
    np.testing.assert_allclose(np.load(tmp_path / "scores.npy"), idf / (1 + norm), rtol=1e-6)


def test_a_repeated_question_word_counts_twice(passages: Any, tmp_path: Path) -> None:
    details = Bm25s().build(passages([("", "cat"), ("", "dog")]), tmp_path)
    index = load(tmp_path, details)
    once, twice = (index.search([text], 1).scores[0, 0] for text in ("cat", "cat cats"))
    assert twice == pytest.approx(2 * once)
    index.close()
