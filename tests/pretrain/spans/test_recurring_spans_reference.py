"""The readable miner against documents whose recurring spans are found by eye."""

from pretrain.spans.recurring_spans_reference import (
    Occurrence,
    enumerate_spans,
    find_clusters_reference,
    stands_inside,
)
from pretrain.spans.span_filters import SpanFilter


def found(*passages: str, title: str = "", **settings: object) -> dict[str, list[Occurrence]]:
    clusters = find_clusters_reference(
        passages,
        title=title,
        span_filter=SpanFilter(**settings),  # type: ignore[arg-type]
    )
    return {" ".join(span): where for span, where in clusters}


def test_a_phrase_in_two_of_three_passages_is_a_cluster() -> None:
    clusters = found("a Red Fox ran", "it saw the red fox", "nothing here")
    assert list(clusters) == ["red fox"]
    assert clusters["red fox"] == [Occurrence(0, 2, 9), Occurrence(1, 11, 18)]


def test_the_part_of_a_longer_cluster_is_no_cluster_of_its_own() -> None:
    assert list(found("big red fox", "big red fox", "other")) == ["big red fox"]
    # "red fox" also stands alone in the second passage, so it is more than a part
    more = found("big red fox", "big red fox , red fox", "other")
    assert list(more) == ["red fox", "big red fox"]


def test_a_phrase_in_every_passage_leaves_no_negative() -> None:
    assert found("red fox", "red fox", "red fox") == {}


def test_punctuation_ends_a_span() -> None:
    assert found("red , fox", "red , fox", "x") == {}


def test_ngrams_of_a_passage() -> None:
    spans = enumerate_spans("One two three", SpanFilter(maximum_words=2))
    assert spans == [(("one", "two"), 0, 7), (("two", "three"), 4, 13)]
    without_last = SpanFilter(maximum_words=2, last_token_allowed=False)
    assert enumerate_spans("One two three", without_last) == spans[:1]


def test_inside_means_every_occurrence_in_the_same_place() -> None:
    inner, outer = [Occurrence(0, 4, 11), Occurrence(1, 4, 11)], [Occurrence(0, 0, 11)]
    assert not stands_inside("red fox", inner, "big red fox", outer)
    assert stands_inside("red fox", inner, "big red fox", [*outer, Occurrence(1, 0, 11)])
    assert not stands_inside("red fox", inner, "big red fox", [*outer, Occurrence(2, 0, 11)])
    assert not stands_inside("red fox", inner, "big red cat", [*outer, Occurrence(1, 0, 11)])
