"""The share of a question that a passage holds."""

from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.doubt.term_weights import TermWeights, passage_terms, question_terms
from spider.errors import ArtifactError


def test_function_words_have_no_weight_and_terms_are_folded() -> None:
    assert question_terms("What is the speed of a Füchse, and of foxes?") == [
        "speed",
        "fuchs",
        "fox",
    ]
    assert passage_terms("Foxes", "the SPEED") == {"fox", "speed"}
    assert question_terms("What is it?") == []


def test_rare_terms_weigh_more_and_unknown_ones_most(make_corpus: Any, tmp_path: Path) -> None:
    corpus = make_corpus([("t", ["red fox", "red whale", "red hen", "red owl"])])
    learned = TermWeights.learn(corpus)
    learned.save(tmp_path)
    weights = TermWeights.load(tmp_path)
    # t is the title of all four
    expected = [log(1 + 0.5 / 4.5), log(1 + 3.5 / 1.5), log(1 + 4.5 / 0.5)]
    assert weights.weights(["red", "fox", "unicorn"]) == pytest.approx(expected)
    share = weights.coverage("the red fox and the unicorn", [passage_terms("", "red fox")])
    assert share == pytest.approx(sum(expected[:2]) / sum(expected))
    assert weights.coverage("red fox", [frozenset({"owl"}), frozenset({"red", "fox"})]) == 1.0
    assert weights.coverage("red fox", []) == 0.0
    assert weights.coverage("what is it?", []) is None


def test_equal_weights_count_terms() -> None:
    held = [frozenset({"fox"})]
    assert TermWeights.equal().coverage("red fox", held) == pytest.approx(0.5)


def test_a_sample_is_spread_over_the_corpus(make_corpus: Any) -> None:
    corpus = make_corpus([("t", [f"w{n}" for n in range(9)])])
    weights = TermWeights.learn(corpus, sample=3).weights(["w0", "w4", "w8", "w1"])
    assert weights[0] == weights[1] == weights[2] < weights[3]


def test_damaged_weights_are_refused(make_corpus: Any, tmp_path: Path) -> None:
    TermWeights.learn(make_corpus([("t", ["red fox"])])).save(tmp_path)
    np.save(tmp_path / "coverage-counts.npy", np.ones(2, dtype=np.uint32))
    with pytest.raises(ArtifactError, match="2 counts for 3 terms"):
        TermWeights.load(tmp_path)
    np.save(tmp_path / "coverage-counts.npy", np.ones(4))
    with pytest.raises(ArtifactError, match=r"coverage-counts.npy: got float64"):
        TermWeights.load(tmp_path)
    (tmp_path / "coverage-terms.npy").unlink()
    with pytest.raises(ArtifactError, match=r"coverage-terms.npy"):
        TermWeights.load(tmp_path)
