"""Which pairings and which batch a run gets."""

from typing import Any

import pytest

from pretrain.pairings.recurring_span import RecurringSpan
from pretrain.training.pair_sources import pair_stream
from pretrain.training.settings import ContrastiveSettings
from spider.encoders.static import StaticSettings
from spider.questions.transforms.random_window import RandomWindow


def made(training_corpus: tuple, *, adapts: bool = False, **changes: Any) -> tuple[Any, str]:
    corpus, spans, _, tokens = training_corpus
    settings = ContrastiveSettings(
        architecture=StaticSettings(dimension=8),
        pairings={"recurring_span": RecurringSpan(transform=RandomWindow())},
        **changes,
    )
    return pair_stream(settings, corpus, spans, tokens, adapts=adapts)


def test_few_spans_are_joined_by_crops_and_titles(training_corpus: tuple) -> None:
    stream, reason = made(training_corpus)
    assert set(stream.counts) == {"recurring_span", "independent_crop", "title"}
    assert "crop and title pairs are added, but an encoder" in reason
    stream, reason = made(training_corpus, adapts=True)
    assert set(stream.counts) == {"recurring_span", "independent_crop", "title"}
    assert reason.endswith("crop and title pairs are added")  # the start is at least as good


def test_the_configured_pairings_alone(training_corpus: tuple) -> None:
    stream, reason = made(training_corpus, enlarge_few=False)
    assert (set(stream.counts), reason) == ({"recurring_span"}, "")


@pytest.mark.parametrize(
    ("adapts", "given", "size"), [(False, None, 1024), (True, None, 64), (True, 7, 7)]
)
def test_the_batch_is_small_where_an_encoder_is_adapted(
    adapts: bool, given: int | None, size: int, training_corpus: tuple
) -> None:
    stream, _ = made(training_corpus, adapts=adapts, batch_size=given)
    assert stream.batch_size == min(size, sum(stream.pairs.values()))
