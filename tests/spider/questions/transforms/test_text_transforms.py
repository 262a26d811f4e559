"""Hand-computed queries of the transforms that make text."""

import numpy as np
import pytest

from spider.errors import ConfigError
from spider.questions.transforms.cloze import Cloze
from spider.questions.transforms.content_words import ContentWords
from spider.questions.transforms.first_sentence import FirstSentence
from spider.questions.transforms.heading import Heading, headings
from spider.questions.transforms.keywords import Keywords
from spider.questions.transforms.mixture import Mixture
from spider.questions.transforms.passage_query import (
    DocumentQuery,
    PassageQuery,
    SpanPassage,
    SpanTransform,
)
from spider.questions.transforms.vocabulary_mismatch import VocabularyMismatch

TEXT = (
    "The old stone bridge over the wide river was opened by Queen Victoria in the spring of 1849."
)
SPAN = "Queen Victoria"
RARITY = {"stone": 5.0, "bridge": 2.0, "opened": 4.0, "1849": 9.0}


def of(text: str = TEXT, span: str = SPAN, title: str = "", relevant: tuple = ()) -> SpanPassage:
    start = text.index(span)
    places = [(start, start + len(span))]
    return SpanPassage(title, text, places, 0, lambda word: RARITY.get(word, 0.0), relevant)


def query(transform: SpanTransform, passage: SpanPassage) -> PassageQuery:
    made = transform.span_query(passage, np.random.default_rng(0))
    assert made is not None
    return made


def test_content_words_are_the_nearest_ones_in_their_order() -> None:
    made = query(ContentWords(minimum=4, maximum=4), of())
    assert made == PassageQuery("river opened spring 1849", False, "content_words")
    assert query(ContentWords(minimum=99, maximum=99), of()).text == (
        "old stone bridge wide river opened spring 1849"
    )


def test_content_words_in_a_language_without_a_list_are_all_words() -> None:
    made = query(ContentWords(minimum=9, maximum=9), of("Старый мост над рекой", "мост над"))
    assert made.text == "Старый рекой"


def test_keywords_are_the_rarest() -> None:
    assert query(Keywords(minimum=3, maximum=3), of()).text == "stone opened 1849"


def test_a_cloze_question_names_its_document_where_asked() -> None:
    question = "who the old stone bridge over the wide river was opened by in the spring of 1849?"
    assert query(Cloze(), of(title="York")) == PassageQuery(question, False, "cloze")
    assert query(Cloze(title="missing"), of(title="York")).text == f"York {question}"
    assert query(Cloze(title="missing"), of(title="A bridge")).text == question


def test_a_language_without_rules_gets_content_words() -> None:
    made = query(Cloze(), of("Старый мост над рекой", "мост над"))
    assert made == PassageQuery("Старый рекой", False, "content_words")


def test_words_of_relevant_passages_are_left_out() -> None:
    passage = of(title="York", relevant=("Bridges were opening", "STONES"))
    none_shared = VocabularyMismatch(minimum=99, maximum=99, shared=0.0, titled=0.0)
    # "bridges", "opening" and "stones" have the stems of words of the passage
    assert query(none_shared, passage).text == "old wide river spring 1849"
    all_shared = VocabularyMismatch(minimum=99, maximum=99, shared=1.0, titled=1.0)
    assert query(all_shared, passage).text == (
        "York old stone bridge wide river opened spring 1849"
    )
    assert query(all_shared, of(title="Old Bridges")).text.startswith("old stone")


def test_no_word_is_left() -> None:
    passage = of(relevant=(TEXT,))
    assert VocabularyMismatch(shared=0.0).span_query(passage, np.random.default_rng(0)) is None


def test_headings_ask_for_the_passages_behind_them() -> None:
    passages = [
        "Intro text.\nEarly life and work\nHe was born in a small town far away from the sea.",
        "More of it.",
        "Legacy\nMany streets bear his name in the towns of the country.",
        "End.",
    ]
    assert Heading().document_queries("Ada", passages) == [
        DocumentQuery("Ada Early life and work", (0,), (1, 2), "heading"),
        DocumentQuery("Ada Legacy", (2,), (3,), "heading"),
    ]


def test_a_document_without_heading_gives_its_title() -> None:
    found = Heading().document_queries("Ada", ["One.", "Two."])
    assert found == [DocumentQuery("Ada", (), (0, 1), "title")]
    assert Heading().document_queries("", ["One.", "Two."]) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("## Use of it\nA line that is longer than its heading.\n", ["Use of it"]),
        ("== History ==\nA line that is longer than its heading.\n", ["History"]),
        ("a lower-case line\nA line that is longer than the one before it, much longer.", []),
        ("It is a sentence.\nA line that is longer than the one before it, much longer.", []),
        ("Short\nlines", []),
        ("A last line", []),
        ("One two three four five six seven eight nine\n" + "long " * 40, []),
    ],
)
def test_lines_that_are_headings(text: str, found: list[str]) -> None:
    assert headings(text) == found


def test_the_first_sentence_asks_for_the_rest() -> None:
    found = FirstSentence().document_queries("Ada", ["Ada wrote a program. It ran.", "b", "c"])
    assert found == [DocumentQuery("Ada wrote a program.", (0,), (1, 2), "first_sentence")]
    assert FirstSentence().document_queries("Ada", ["Alone."]) == []


def test_a_mixture_takes_turns_and_keeps_both_kinds() -> None:
    mixture = Mixture(transforms=[Cloze(), Keywords(), Heading()])
    rng = np.random.default_rng(0)
    forms = {made.form for _ in range(30) if (made := mixture.span_query(of(), rng))}
    assert forms == {"cloze", "keywords"}
    assert mixture.document_queries("Ada", ["One.", "Two."])[0].form == "title"
    assert Mixture(transforms=[Heading()]).span_query(of(), rng) is None


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: ContentWords(minimum=3, maximum=2), "minimum"),
        (lambda: Keywords(minimum=0), "minimum"),
        (lambda: VocabularyMismatch(minimum=11), "minimum"),
        (lambda: VocabularyMismatch(shared=1.5), "shared"),
        (lambda: VocabularyMismatch(titled=-0.1), "titled"),
        (lambda: Mixture(transforms=[]), "transforms"),
    ],
)
def test_settings_are_checked(make: object, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        make()  # type: ignore[operator]
