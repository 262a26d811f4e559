import pytest

from pretrain.spans.span_filters import SpanFilter
from spider.errors import ConfigError

RELEASED = {"maximum_words": 9, "last_token_allowed": False, "stop_words": "not_at_ends"}


@pytest.mark.parametrize(
    ("span", "paper", "released"),
    [
        ("the priesthood for himself and his male descendants", True, False),
        ("bank of england", True, True),
        ("bank of", True, False),
        ("of the", False, False),
        ("england", False, False),
        ("a1 b c d e f g h i j", True, False),
        ("x b c d e f g h i j k", False, False),
    ],
)
def test_modes_by_hand(span, paper, released):
    words = span.split()
    assert SpanFilter().accepts(words) == paper
    assert SpanFilter(**RELEASED).accepts(words) == released


def test_title_overlap():
    title = {"bank", "england"}
    span = ["bank", "of", "england"]
    assert SpanFilter(max_title_overlap=0.7).accepts(span, title)
    assert not SpanFilter(max_title_overlap=0.6).accepts(span, title)
    assert SpanFilter(max_title_overlap=0.0).accepts(["gold", "reserve"], title)


def test_settings_are_checked():
    with pytest.raises(ConfigError, match="minimum_words"):
        SpanFilter(minimum_words=1)
    with pytest.raises(ConfigError, match="max_title_overlap"):
        SpanFilter(max_title_overlap=2.0)
