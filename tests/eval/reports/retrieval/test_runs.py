"""Runs that stand in one report: names, notes, and what does not belong together."""

from typing import Any

import pytest

from eval.reports.retrieval.runs import load_runs, system_names
from spider.corpus.corpus import Corpus
from spider.errors import ArtifactError, ConfigError
from spider.question import Question, QuestionSet

ASKED = QuestionSet(
    name="two",
    questions=(Question(id="a", text="?", answers=("fox",)), Question(id="b", text="?")),
)
LISTS = [[0, 1], [2]]


def test_a_label_names_the_only_system_and_prefixes_several(make_run: Any) -> None:
    one = make_run("one", ASKED, {"dense": LISTS}, label="untrained")
    two = make_run("two", ASKED, {"dense": LISTS, "hybrid": LISTS}, label="old")
    assert system_names(one) == {"dense": "untrained"}
    assert system_names(two) == {"dense": "old-dense", "hybrid": "old-hybrid"}


def test_systems_come_in_the_order_that_is_wanted_and_notes_once(
    make_run: Any, corpus: Corpus
) -> None:
    one = make_run("one", ASKED, {"bm25": LISTS, "dense": LISTS}, note="few pairs")
    two = make_run("two", ASKED, {"hybrid": LISTS}, note="few pairs")
    runs = load_runs([one, two], corpus, [])
    assert list(runs.hits) == ["bm25", "dense", "hybrid"]
    assert runs.notes == ("few pairs",)
    assert runs.question_set == ASKED
    assert list(load_runs([one, two], corpus, ["hybrid", "bm25"]).hits) == ["hybrid", "bm25"]


def test_what_cannot_stand_in_one_report(make_run: Any, corpus: Corpus, make_corpus: Any) -> None:
    one = make_run("one", ASKED, {"bm25": LISTS})
    with pytest.raises(ConfigError, match="got none"):
        load_runs([], corpus, [])
    with pytest.raises(ConfigError, match=r"got \['splade'\]"):
        load_runs([one], corpus, ["splade"])
    other_hits = make_run("other-hits", ASKED, {"bm25": [[1], [2]]})
    with pytest.raises(ArtifactError, match="give one of the searches a label"):
        load_runs([one, other_hits], corpus, [])
    fewer = QuestionSet(name="one", questions=ASKED.questions[:1])
    with pytest.raises(ArtifactError, match="their question ids differ"):
        load_runs([one, make_run("fewer", fewer, {"dense": LISTS[:1]})], corpus, [])
    changed = QuestionSet(name="two", questions=ASKED.questions, match="regex")
    with pytest.raises(ArtifactError, match="answers or match mode differ"):
        load_runs([one, make_run("changed", changed, {"dense": LISTS})], corpus, [])
    with pytest.raises(ArtifactError, match="content hash"):
        load_runs([one], make_corpus([("t", ["x"])], name="another"), [])


def test_hits_that_are_not_of_these_questions_or_passages(make_run: Any, corpus: Corpus) -> None:
    with pytest.raises(ArtifactError, match="1 row for 2 questions"):
        load_runs([make_run("short", ASKED, {"bm25": LISTS[:1]})], corpus, [])
    with pytest.raises(ArtifactError, match="position 9 in a corpus of 4 passages"):
        load_runs([make_run("far", ASKED, {"bm25": [[9], [0]]})], corpus, [])
