import numpy as np
import pytest

from spider.errors import ConfigError
from spider.questions.transforms.keywords import Keywords
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


def test_keywords_are_the_rarest() -> None:
    assert query(Keywords(minimum=3, maximum=3), of()).text == "stone opened 1849"


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="minimum"):
        Keywords(minimum=0)
