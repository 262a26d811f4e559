"""Short keyword queries, as people type them into a search box."""

import numpy as np

from spider.errors import SettingError
from spider.questions.transforms.passage_query import PassageQuery, SpanPassage
from spider.questions.transforms.span_words import content_words

NEAR = 12
"""Content words around the span among which the rarest are chosen: about one sentence."""


class Keywords:
    """The rarest content words of the sentence around the span, in their order.

    Args:
        minimum: fewest words of a query; the number is drawn.
        maximum: most words of a query.

    Raises:
        ConfigError: the lengths are out of order.
    """

    def __init__(self, *, minimum: int = 2, maximum: int = 6):
        if not 1 <= minimum <= maximum:
            raise SettingError("minimum", minimum, f"1 to maximum={maximum}")
        self.minimum = minimum
        self.maximum = maximum

    def span_query(self, passage: SpanPassage, rng: np.random.Generator) -> PassageQuery | None:
        """Make the query; None without a content word besides the span."""
        size = int(rng.integers(self.minimum, self.maximum + 1))
        near = sorted(content_words(passage), key=lambda word: word.distance)[:NEAR]
        rarest = sorted(near, key=lambda word: -passage.rarity(word.text))[:size]
        if not rarest:
            return None
        text = " ".join(word.text for word in sorted(rarest, key=lambda word: word.start))
        return PassageQuery(text, False, "keywords")
