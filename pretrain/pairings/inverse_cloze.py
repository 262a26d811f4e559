"""A sentence and the passage it was taken from: the inverse cloze task."""

import numpy as np
from jaxtyping import Int64

from pretrain.pairings.documents import passages_of_length
from pretrain.pairings.pairing import PairExample, other_passage
from spider.corpus.corpus import Corpus
from spider.errors import SettingError
from spider.spans.span_store import SpanStore
from spider.text.sentences import SENTENCE
from spider.text.token_store import TokenStore


class InverseCloze:
    """The query is a sentence of a passage; the positive is that passage, mostly without it.

    Source: Lee et al. 2019, *Latent Retrieval for Weakly Supervised Open Domain Question
    Answering*, section 5 (the sentence stays in the passage in 10 % of the examples).

    Args:
        keep_probability: probability that the passage keeps the sentence.
        minimum: least number of tokens of a query sentence, and of the rest of its passage. In a
            passage without such a sentence, a window of half its tokens is the query.
        negatives: whether another passage of the document is the negative, or there is none.
    """

    def __init__(self, *, keep_probability: float = 0.1, minimum: int = 4, negatives: int = 0):
        if not 0.0 <= keep_probability <= 1.0:
            raise SettingError("keep_probability", keep_probability, "0 to 1")
        if minimum < 1:
            raise SettingError("minimum", minimum, "at least 1")
        if negatives not in (0, 1):
            raise SettingError("negatives", negatives, "0 or 1")
        self.keep_probability = keep_probability
        self.minimum = minimum
        self.negatives = negatives

    def prepare(
        self, corpus: Corpus, spans: SpanStore, tokens: TokenStore
    ) -> "PreparedInverseCloze":
        """Bind the settings to the training documents' passages."""
        return PreparedInverseCloze(self, corpus, spans, tokens)


class PreparedInverseCloze:
    """The passages of at least twice ``minimum`` tokens."""

    def __init__(
        self, settings: InverseCloze, corpus: Corpus, spans: SpanStore, tokens: TokenStore
    ):
        self._settings = settings
        self._corpus = corpus
        self._spans = spans
        self._tokens = tokens
        self._positions = passages_of_length(spans, tokens, 2 * settings.minimum)

    def __len__(self) -> int:
        return len(self._positions)

    def order(self, rng: np.random.Generator) -> Int64[np.ndarray, " pairs"]:
        """Return a random order of the passages."""
        return rng.permutation(len(self._positions))

    def example(self, index: int, rng: np.random.Generator) -> PairExample:
        """Draw a sentence, and whether the passage keeps it."""
        position = int(self._positions[index])
        ids = self._tokens.passage(position)
        start, end = self._sentence(position, len(ids), rng)
        keep = rng.random() < self._settings.keep_probability
        text = ids if keep else np.concatenate([ids[:start], ids[end:]])
        known = np.array([position], dtype=np.int64)
        negative = -1
        if self._settings.negatives:
            document = self._corpus.document_number(position)
            taken = self._spans.without_withheld(document, known)
            negative = other_passage(self._spans.candidates(document), taken, rng)
        return PairExample(ids[start:end], position, negative, known, text)

    def _sentence(self, position: int, length: int, rng: np.random.Generator) -> tuple[int, int]:
        least = self._settings.minimum
        ranges = [
            self._tokens.token_range(position, *match.span())
            for match in SENTENCE.finditer(self._corpus.text(position))
        ]
        usable = [(a, b) for a, b in ranges if b - a >= least and length - (b - a) >= least]
        if usable:
            return usable[int(rng.integers(len(usable)))]
        start = int(rng.integers(length - length // 2 + 1))
        return start, start + length // 2
