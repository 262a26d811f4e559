"""A passage with a recurring span, and the query that a transform makes of it."""

import numpy as np

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
