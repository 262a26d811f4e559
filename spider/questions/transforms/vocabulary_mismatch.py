"""Queries that share few words with their relevant passages, as the questions of people do."""

from functools import lru_cache

import numpy as np

from spider.errors import SettingError
from spider.questions.transforms.passage_query import PassageQuery, SpanPassage
from spider.questions.transforms.span_words import content_words
from spider.text.analysis.folded import analyze

NEAR = 16
"""Content words around the span that a query is made of: one or two sentences."""


class VocabularyMismatch:
    """Content words around the removed span; most of those in the relevant passages are left out.

    Passages of one document repeat each other's words. People who ask do not know these words: the
    vocabulary problem (Furnas et al. 1987). So a held-out query that is copied from a document
    favours systems that match words. Here a word that a relevant passage has, in any form with the
    same stem, stays with probability ``shared`` only.

    Args:
        minimum: fewest words of a query; the number is drawn.
        maximum: most words of a query.
        shared: the probability that a word stays which a relevant passage has.
        titled: the probability that the document's title comes first where no word of it is in the
            query. A person may name what they ask about or not: with 0.5 the order of systems
            agrees with more question sets than with 0 or 1.

    Raises:
        ConfigError: a setting is out of its range.
    """

    def __init__(
        self,
        *,
        minimum: int = 4,
        maximum: int = 10,
        shared: float = 0.3,
        titled: float = 0.5,
    ):
        if not 1 <= minimum <= maximum:
            raise SettingError("minimum", minimum, f"1 to maximum={maximum}")
        for name, value in (("shared", shared), ("titled", titled)):
            if not 0.0 <= value <= 1.0:
                raise SettingError(name, value, "0 to 1")
        self.minimum = minimum
        self.maximum = maximum
        self.shared = shared
        self.titled = titled

    def span_query(self, passage: SpanPassage, rng: np.random.Generator) -> PassageQuery | None:
        """Make the query; None where no word is left."""
        size = int(rng.integers(self.minimum, self.maximum + 1))
        near = sorted(content_words(passage), key=lambda word: word.distance)[:NEAR]
        names_it = bool(rng.random() < self.titled)
        stays = rng.random(len(near)) < self.shared
        known = frozenset[str]().union(*map(_terms, passage.relevant))
        left = [
            word
            for word, stay in zip(near, stays.tolist(), strict=True)
            if stay or known.isdisjoint(analyze(word.text))
        ][:size]
        if not left:
            return None
        words = [word.text for word in sorted(left, key=lambda word: word.start)]
        title = passage.title if names_it else ""
        if not set(analyze(title)).isdisjoint(analyze(" ".join(words))):
            title = ""
        text = " ".join([title, *words] if title else words)
        return PassageQuery(text, False, "vocabulary_mismatch")


# a document's queries have many relevant passages in common
@lru_cache(maxsize=1024)
def _terms(text: str) -> frozenset[str]:
    return frozenset(analyze(text))
