"""What every transform that makes text keeps. A new one is one entry in ``TRANSFORMS``."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spider.launch.verbs import FOLDER
from spider.questions.transforms.cloze import Cloze
from spider.questions.transforms.content_words import ContentWords
from spider.questions.transforms.first_sentence import FirstSentence
from spider.questions.transforms.heading import Heading
from spider.questions.transforms.keywords import Keywords
from spider.questions.transforms.mixture import Mixture
from spider.questions.transforms.passage_query import (
    DocumentTransform,
    PassageQuery,
    SpanPassage,
    SpanTransform,
)
from spider.questions.transforms.query_ranges import QueryTransform
from spider.questions.transforms.vocabulary_mismatch import VocabularyMismatch

TRANSFORMS: dict[str, SpanTransform | DocumentTransform] = {
    "cloze": Cloze(),
    "cloze, titled": Cloze(title="missing"),
    "content_words": ContentWords(),
    "first_sentence": FirstSentence(),
    "heading": Heading(),
    "keywords": Keywords(),
    "mixture": Mixture(transforms=[Cloze(), Keywords(), Heading()]),
    "vocabulary_mismatch": VocabularyMismatch(),
    "vocabulary_mismatch, titled": VocabularyMismatch(titled=1.0),
}
SPANS = sorted(name for name, one in TRANSFORMS.items() if isinstance(one, SpanTransform))
DOCUMENTS = sorted(name for name, one in TRANSFORMS.items() if isinstance(one, DocumentTransform))
WORDS = [
    "the",
    "lock",
    "of",
    "thread",
    "is",
    "held",
    "by",
    "king",
    "Ada",
    "Lovelace",
    "in",
    "1843",
    "数学",
    "für",
    ".",
    ",",
    "\n\n",
]


@st.composite
def passages(draw: st.DrawFn) -> SpanPassage:
    """Draw a passage around a span of two words that stands once or more in it."""
    parts = draw(st.lists(st.lists(st.sampled_from(WORDS), max_size=12), min_size=2, max_size=4))
    text, occurrences = "", []
    for place, part in enumerate(parts):
        text += " ".join(part) + " "
        if place:
            occurrences.append((len(text), len(text) + len("data race")))
            text += "data race "
    chosen = draw(st.integers(0, len(occurrences) - 1))
    title = draw(st.sampled_from(["", "Threads", "data race"]))
    relevant = [" ".join(part) for part in parts]
    return SpanPassage(title, text, occurrences, chosen, len, relevant)


def make(name: str, passage: SpanPassage, seed: int = 0) -> PassageQuery | None:
    transform = TRANSFORMS[name]
    assert isinstance(transform, SpanTransform)
    return transform.span_query(passage, np.random.default_rng(seed))


def test_every_yaml_of_the_family_is_tested() -> None:
    files = {path.stem for path in Path(FOLDER / "query_transform").glob("*.yaml")}
    ranges = {"mask", "prefix", "random_window"}
    assert {name.split(",")[0] for name in TRANSFORMS} == files - ranges
    # only transforms that choose ranges can make training queries of word pieces
    assert not any(isinstance(one, QueryTransform) for one in TRANSFORMS.values())


@pytest.mark.parametrize("name", SPANS)
@settings(max_examples=25)
@given(passage=passages(), seed=st.integers(0, 2**32 - 1))
def test_a_query_has_words_without_the_span(name: str, passage: SpanPassage, seed: int) -> None:
    made = make(name, passage, seed)
    assert made == make(name, passage, seed), "the seed decides"
    if made is not None:
        assert any(map(str.isalnum, made.text))
        assert made.text == " ".join(made.text.split())
        assert made.form
        if not made.kept_span and passage.title != "data race" and len(passage.occurrences) == 1:
            assert "data race" not in made.text


@pytest.mark.parametrize("name", SPANS)
def test_a_passage_that_is_only_the_span_gives_none(name: str) -> None:
    assert make(name, SpanPassage("", "data race", [(0, 9)], 0, len, [])) is None


@pytest.mark.parametrize("name", DOCUMENTS)
@settings(max_examples=25)
@given(texts=st.lists(st.text(st.sampled_from("Ab. \n#"), max_size=40), max_size=5))
def test_relevant_passages_are_others_of_the_document(name: str, texts: list[str]) -> None:
    transform = TRANSFORMS[name]
    assert isinstance(transform, DocumentTransform)
    for query in transform.document_queries("A title", texts):
        assert query.relevant
        assert query.text.strip()
        assert not set(query.own) & set(query.relevant)
        assert set(query.own) | set(query.relevant) <= set(range(len(texts)))
    assert transform.document_queries("", []) == []
