"""Held-out queries whose text is made by rules: relevant and excluded passages, tags, counts."""

from pathlib import Path
from typing import Any

import pytest

from pretrain.spans.mining import Mining
from pretrain.spans.settings import MiningSettings
from pretrain.spans.span_filters import SpanFilter
from pretrain.spans.yield_report import write_yield
from spider.questions.transforms.heading import Heading
from spider.questions.transforms.mixture import Mixture
from spider.questions.transforms.passage_query import HeldoutTransform
from spider.questions.transforms.random_window import RandomWindow
from spider.questions.transforms.vocabulary_mismatch import VocabularyMismatch
from spider.spans.span_store import SpanStore

MISMATCH = VocabularyMismatch(shared=0.0, titled=0.0)


def mine(make_corpus: Any, folder: Path, transform: HeldoutTransform) -> tuple[Any, SpanStore, Any]:
    documents = [
        (
            "Title" + "x" * number,
            [
                f"The red {name} crossed silently alpha beta common words.",
                f"Common words crossed the red {name} again and again over there.",
                "Nothing else is in this passage of the document at all.",
                "Nothing more is in that one either, apart from these.",
            ],
        )
        for number, name in enumerate("fox" + "y" * number for number in range(10))
    ]
    corpus = make_corpus(documents)
    folder.mkdir()
    settings = MiningSettings(span_filter=SpanFilter(), query_transform=transform)
    result = Mining(settings).run(corpus, folder)
    return corpus, SpanStore(folder), result


def test_words_of_relevant_passages_are_not_in_the_query(make_corpus: Any, tmp_path: Path) -> None:
    corpus, store, result = mine(make_corpus, tmp_path / "s", MISMATCH)
    questions = store.heldout("test").questions
    for question in questions:
        assert question.tags["form"] == "vocabulary_mismatch"
        assert question.tags["span"] == "removed"
        own = corpus.position(question.excluded[0])
        assert own not in map(corpus.position, question.relevant)
        assert set(question.text.split()) <= {"silently", "alpha", "beta", "again", "over"}
    assert questions
    assert result.counts["test_queries"] == len(questions)


def test_spans_without_words_are_counted(make_corpus: Any, tmp_path: Path) -> None:
    documents = [(f"t{n}", [f"red {'fox' * (n + 1)}", f"Red {'fox' * (n + 1)}", "Else", "More"])
                 for n in range(10)]  # fmt: skip
    corpus = make_corpus(documents)
    (tmp_path / "s").mkdir()
    settings = MiningSettings(span_filter=SpanFilter(), query_transform=MISMATCH)
    result = Mining(settings).run(corpus, tmp_path / "s")
    assert result.counts["heldout_queries_skipped"] == 3
    assert result.counts["test_queries"] == 0


def test_headings_have_no_span(make_corpus: Any, tmp_path: Path) -> None:
    corpus, store, result = mine(make_corpus, tmp_path / "s", Mixture(transforms=[Heading()]))
    assert "heldout_queries_skipped" not in result.counts
    questions = store.heldout("test").questions
    assert [question.tags for question in questions] == [{"form": "title"}] * 2
    for question in questions:
        assert question.excluded == ()
        assert len(question.relevant) == 4
        assert corpus.title(corpus.position(question.relevant[0])) == question.text
    write_yield(tmp_path, result.found)
    assert "**title** (document): Title" in (tmp_path / "yield.md").read_text()


@pytest.mark.parametrize(("transform", "own"), [(MISMATCH, True), (RandomWindow(), False)])
def test_copied_queries_are_windows(
    make_corpus: Any, tmp_path: Path, transform: HeldoutTransform, own: bool
) -> None:
    _, store, _ = mine(make_corpus, tmp_path / "s", transform)
    copied = store.copied().questions
    assert {question.tags["form"] for question in copied} == {"window"}
    assert (copied == store.heldout("validation").questions) != own
