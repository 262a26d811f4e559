import pytest

from spider.text.cloze.span_kinds import span_kind
from spider.text.languages.words import LANGUAGES


@pytest.mark.parametrize(
    ("text", "span", "kind"),
    [
        ("It ended in May 1945 there", "May 1945", "time"),
        ("You may go home", "may go", "thing"),
        ("about 12 thousand men", "12 thousand", "number"),
        ("he lived in New York then", "New York", "place"),
        ("then Albert Einstein left", "Albert Einstein", "person"),
        ("the king Louis went", "Louis", "person"),
        ("then Yale University left", "Yale University", "thing"),
        ("the NASA ESA project", "NASA ESA", "thing"),
        ("a data race occurs", "data race", "thing"),
    ],
)
def test_english(text: str, span: str, kind: str) -> None:
    start = text.index(span)
    assert span_kind(text, (start, start + len(span)), LANGUAGES["en"]) == kind


def test_german_nouns_are_no_people() -> None:
    text = "dann kam Großer Hunger auf, sagte Frau Meier laut"
    for span, kind in (("Großer Hunger", "thing"), ("Meier", "person")):
        start = text.index(span)
        assert span_kind(text, (start, start + len(span)), LANGUAGES["de"]) == kind
