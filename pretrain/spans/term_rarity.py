"""How rare a word is in a corpus."""

import math
from collections import Counter
from functools import cached_property

import numpy as np

from spider.corpus.corpus import Corpus
from spider.text.words import WORD, word_key

SAMPLE = 20_000
"""Passages that are counted. Of two words, a sample tells the rarer one; 20,000 take 2 seconds."""


class TermRarity:
    """The inverse document frequency of words, counted when it is first asked for.

    Args:
        corpus: its passages, or an even sample of them, are counted.
    """

    def __init__(self, corpus: Corpus):
        self.corpus = corpus

    @cached_property
    def _frequencies(self) -> tuple[int, Counter[str]]:
        step = max(1, math.ceil(len(self.corpus) / SAMPLE))
        counted: Counter[str] = Counter()
        places = range(0, len(self.corpus), step)
        for place in places:
            counted.update(set(map(word_key, WORD.findall(self.corpus.text(place)))))
        return len(places), counted

    def __call__(self, word: str) -> float:
        """Return the inverse document frequency of a word, as BM25 computes it."""
        passages, counted = self._frequencies
        holders = counted[word_key(word)]
        return float(np.log1p((passages - holders + 0.5) / (holders + 0.5)))
