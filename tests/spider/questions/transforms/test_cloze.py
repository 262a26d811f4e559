import numpy as np

from spider.questions.transforms.cloze import Cloze
from spider.questions.transforms.passage_query import PassageQuery, SpanPassage, SpanTransform

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


def test_a_cloze_question_names_its_document_where_asked() -> None:
    question = "who the old stone bridge over the wide river was opened by in the spring of 1849?"
    assert query(Cloze(), of(title="York")) == PassageQuery(question, False, "cloze")
    assert query(Cloze(title="missing"), of(title="York")).text == f"York {question}"
    assert query(Cloze(title="missing"), of(title="A bridge")).text == question


def test_a_language_without_rules_gets_content_words() -> None:
    made = query(Cloze(), of("Старый мост над рекой", "мост над"))
    assert made == PassageQuery("Старый рекой", False, "content_words")
