"""What held-out queries teach about a match, and how an index uses it."""

from typing import Any

import numpy as np

from index.doubt.calibration import mismatch
from index.doubt.match_check import MatchCheck
from index.engines.opening import open_index
from index.engines.tuning import Tuning
from index.fusion.weighted_sum import WeightedSum
from index.sparse.bm25s_index import Bm25s
from index.verbs.build import BuildSettings, main
from spider.artifacts.artifact import open_artifact
from spider.artifacts.records.index import IndexRecord
from spider.question import Question


def build(folder: Any, name: str, **tuning: int) -> Any:
    main(
        BuildSettings(
            corpus=folder / "corpus",
            embeddings=None,
            spans=folder / "spans",
            output=folder / name,
            sparse=Bm25s(),
            fusion=WeightedSum(),
            tuning=Tuning(**tuning),
            given=("spans",),
        )
    )
    return open_artifact(folder / name)


def test_an_index_learns_from_its_queries_and_doubts_a_question_about_nothing(
    undertaking: Any,
) -> None:
    index = build(undertaking.folder, "index", fewest=1)
    record = IndexRecord.from_manifest(index).match
    assert record is not None
    # of "where was the otter seen, at the quarry?" the own passage is dropped, so a word is missing
    assert 0.3 < record.least_coverage < 1
    assert record.queries == 10
    again = build(undertaking.folder, "again", fewest=1)
    assert again.content_hash == index.content_hash
    check = MatchCheck(index)
    with open_index(index.path) as opened:
        for question, doubt in (
            ("where was the heron seen?", False),
            ("which heron won the football cup in Uruguay?", True),
            ("how do I bake bread?", True),
        ):
            ranked = opened.passages([question], 5)[0]
            assert check.judge(question, ranked).probably_none == doubt, question


def test_with_few_queries_only_a_word_in_common_is_asked_for(undertaking: Any) -> None:
    index = build(undertaking.folder, "index", fewest=11)
    assert IndexRecord.from_manifest(index).match is None
    assert not (index.path / "coverage-terms.npy").exists()
    check = MatchCheck(index)
    with open_index(index.path) as opened:
        ranked = opened.passages(["which heron won the football cup?"], 5)[0]
        assert not check.judge("which heron won the football cup?", ranked).probably_none
        assert check.judge("football", ranked).probably_none


def test_mismatched_queries_have_the_lengths_and_the_words_of_the_others() -> None:
    questions = [Question(id=str(n), text=text) for n, text in enumerate(["a b c", "d", "e f"])]
    drawn = mismatch(questions, np.random.default_rng(0))
    assert [len(text.split()) for text in drawn] == [3, 1, 2]
    assert set(" ".join(drawn).split()) <= set("abcdef")
    assert mismatch([], np.random.default_rng(0)) == []
