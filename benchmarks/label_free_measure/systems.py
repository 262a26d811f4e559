"""The compared systems: scores of every passage, and weighted sums of them."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from scipy import sparse

from eval.matching.first_hits import HitFinder
from spider.corpus.corpus import Corpus
from spider.question import QuestionSet
from spider.text.analysis.folded import analyze
from spider.text.analysis.question_words import without_question_words

DEPTH = 20
BLOCK = 128
K1, B = 0.9, 0.4
WEIGHTS = {
    "minilm": (3, 10, 30, 100),
    "adapted": (10, 30),
    "half": (30,),
    "student": (10, 30, 100),
    "wordllama": (10, 30),
    "static_short": (10,),
    "static_long": (3, 10, 30),
    "pieces": (10,),
    "one_layer": (30,),
}
"""Weights of unit vectors against BM25, for the hybrids of each dense system."""

Encode = Callable[[Sequence[str]], np.ndarray]


class Bm25:
    """BM25 with the formula and the terms of this project, for every passage at once."""

    def __init__(self, corpus: Corpus):
        terms: dict[str, int] = {}
        rows, columns = [], []
        for place in range(len(corpus)):
            for term in analyze(f"{corpus.title(place)}\n{corpus.text(place)}"):
                rows.append(terms.setdefault(term, len(terms)))
                columns.append(place)
        counts = sparse.coo_array(
            (np.ones(len(rows), np.float32), (rows, columns)), shape=(len(terms), len(corpus))
        ).tocsr()
        lengths = counts.sum(axis=0)
        holders = np.diff(counts.indptr)
        idf = np.log1p((len(corpus) - holders + 0.5) / (holders + 0.5))
        norm = K1 * (1 - B + B * lengths / lengths.mean())
        counts.data /= counts.data + norm[counts.indices]
        counts.data *= np.repeat(idf, holders)
        self._weights = counts.astype(np.float32)
        self._terms = terms

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Return the scores [texts, passages]."""
        asked = sparse.lil_array((len(texts), len(self._terms)), dtype=np.float32)
        for row, text in enumerate(texts):
            for term in analyze(text):
                if term in self._terms:
                    asked[row, self._terms[term]] += 1
        scores: np.ndarray = (asked.tocsr() @ self._weights).toarray()
        return scores


class Systems:
    """Ranks questions with every system of one corpus.

    Args:
        corpus: the passages.
        dense: by name, the passage vectors and the encoder of questions.
    """

    def __init__(self, corpus: Corpus, dense: dict[str, tuple[np.ndarray, Encode]]):
        self.corpus = corpus
        self._bm25 = Bm25(corpus)
        self._dense = {
            name: (torch.from_numpy(vectors.astype(np.float32)), encode)
            for name, (vectors, encode) in dense.items()
        }
        self.names = ["bm25", "bm25 of people", *self._dense]
        self.names += [f"{n} x {w} + bm25" for n in self._dense for w in WEIGHTS.get(n, ())]

    def hits(self, questions: QuestionSet) -> np.ndarray:
        """Return whether a hit is among the first 20, bool [systems, questions]."""
        texts = [one.text for one in questions.questions]
        finder = HitFinder(questions, self.corpus)
        excluded = finder.excluded()
        encoded = {
            name: torch.from_numpy(encode(texts).astype(np.float32))
            for name, (_, encode) in self._dense.items()
        }
        lists = np.zeros((len(self.names), len(texts), DEPTH), dtype=np.int64)
        for first in range(0, len(texts), BLOCK):
            rows = slice(first, min(first + BLOCK, len(texts)))
            for number, scores in enumerate(self._scores(texts[rows], encoded, rows)):
                for row, left_out in enumerate(excluded[rows]):
                    scores[row, left_out] = -torch.inf
                lists[number, rows] = scores.topk(DEPTH).indices.numpy()
        return np.stack([finder.relevance(one).any(axis=1) for one in lists])

    def bm25_scores(self, texts: Sequence[str]) -> torch.Tensor:
        """Return the BM25 scores of every passage."""
        return torch.from_numpy(self._bm25(texts))

    def dense_scores(self, name: str, texts: Sequence[str]) -> torch.Tensor:
        """Return the cosines of every passage."""
        vectors, encode = self._dense[name]
        return torch.from_numpy(encode(texts).astype(np.float32)) @ vectors.T

    def _scores(
        self, texts: Sequence[str], encoded: dict[str, torch.Tensor], rows: slice
    ) -> Iterator[torch.Tensor]:
        """Yield the scores of each system, in the order of the names."""
        bm25 = torch.from_numpy(self._bm25(texts))
        yield bm25.clone()
        people = torch.from_numpy(self._bm25([without_question_words(text) for text in texts]))
        yield people.clone()
        dense = {name: encoded[name][rows] @ v.T for name, (v, _) in self._dense.items()}
        for scores in dense.values():
            yield scores.clone()
        for name, scores in dense.items():
            for weight in WEIGHTS.get(name, ()):
                yield torch.add(bm25, scores, alpha=weight)
