"""Queries of content words alone: a window around the span, without span and function words."""

import numpy as np

from spider.errors import SettingError
from spider.questions.transforms.passage_query import PassageQuery, SpanPassage
from spider.questions.transforms.span_words import content_words


class ContentWords:
    """The content words nearest to the span; the span itself is removed.

    Function words of the passage's language and the words of the span are left out, wherever they
    are. The words keep their order. In a language without a list, every word counts as a content
    word.

    Args:
        minimum: fewest words of a query; the number is drawn.
        maximum: most words of a query.

    Raises:
        ConfigError: the lengths are out of order.
    """

    def __init__(self, *, minimum: int = 4, maximum: int = 10):
        if not 1 <= minimum <= maximum:
            raise SettingError("minimum", minimum, f"1 to maximum={maximum}")
        self.minimum = minimum
        self.maximum = maximum

    def span_query(self, passage: SpanPassage, rng: np.random.Generator) -> PassageQuery | None:
        """Make the query; None without a content word besides the span."""
        words = content_words(passage)
        size = int(rng.integers(self.minimum, self.maximum + 1))
        nearest = sorted(words, key=lambda word: word.distance)[:size]
        if not nearest:
            return None
        text = " ".join(word.text for word in sorted(nearest, key=lambda word: word.start))
        return PassageQuery(text, False, "content_words")
