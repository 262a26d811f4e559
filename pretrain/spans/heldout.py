"""Held-out recurring spans: documents kept from training, and queries made from them.

They measure a retriever without labels. The query is a window of one passage around a recurring
span. The relevant passages are the document's other passages with that span. The query's own
passage is excluded from every system's list. Half of the queries keep the span; a tag records
which. Unlike the paper, whose transform removes the chosen
occurrence alone, a removed span is removed from the whole query.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from spider.corpus.corpus import Corpus
from spider.corpus.split import order_by_hash, seeded_hash
from spider.errors import ConfigError
from spider.question import Question, QuestionSet
from spider.questions.transforms.query_ranges import QueryRanges, QueryTransform, Range
from spider.spans.span_store import SpanStore
from spider.text.word_scanner import code_points, scan_words


class HeldoutQueries:
    """Makes the held-out queries of a split.

    The transform's units are words (tokens with a letter or digit; see :mod:`spider.text.words`).
    The query is the raw text of the chosen words, with the casing and punctuation between them;
    white space becomes single spaces, and one space joins the two sides of a removed span. A
    removed span is removed at each of its occurrences in the window.

    Args:
        transform: how a query is made.
        clusters_per_document: the maximum number of queries for a document.
        documents: the maximum number of documents of a split that get queries, in the order of
            their hashes. It keeps the sets small on a large corpus.
        seed: together with the document's id, it decides the document's queries.
    """

    def __init__(
        self, *, transform: QueryTransform, clusters_per_document: int, documents: int, seed: int
    ):
        if clusters_per_document < 1 or documents < 1:
            raise ConfigError(
                f"{clusters_per_document} clusters a document of {documents} documents: expected "
                "1 or more"
            )
        self.transform = transform
        self.clusters_per_document = clusters_per_document
        self.documents = documents
        self.seed = seed

    def make(self, name: str, corpus: Corpus, store: SpanStore) -> QuestionSet:
        """Make the queries of ``validation`` or ``test``, in the corpus's order."""
        numbers = store.split.held_out(name).tolist()
        ids = {number: corpus.document_id(number) for number in numbers}
        chosen = sorted(order_by_hash(ids, numbers, self.seed)[: self.documents])
        questions = [question for number in chosen for question in self._of(number, corpus, store)]
        return QuestionSet(name=f"held-out {name}", questions=tuple(questions), match="passage")

    def _of(self, document: int, corpus: Corpus, store: SpanStore) -> list[Question]:
        rng = np.random.default_rng(seeded_hash(self.seed, corpus.document_id(document)))
        clusters = store.clusters_of(document)
        size = min(self.clusters_per_document, len(clusters))
        picked = np.sort(rng.choice(len(clusters), size=size, replace=False))
        return [self._query(clusters[int(p)], document, corpus, store, rng) for p in picked]

    def _query(
        self,
        cluster: int,
        document: int,
        corpus: Corpus,
        store: SpanStore,
        rng: np.random.Generator,
    ) -> Question:
        where = store.occurrences(cluster)
        passages = np.unique(where.positions)
        own = int(rng.choice(passages))
        here = where.positions == own
        spans = list(zip(where.starts[here].tolist(), where.ends[here].tolist(), strict=True))
        chosen = int(rng.integers(len(spans)))
        text, kept = self._text(corpus.text(own), spans, chosen, rng)
        start, end = spans[chosen]
        own_id = corpus.passage_id(own)
        # a padded last passage repeats the document's beginning: neither relevant nor irrelevant
        unfit = set(corpus.document_passages(document)) - set(store.candidates(document))
        return Question(
            id=f"{own_id}@{start}-{end}",
            text=text,
            relevant=tuple(corpus.passage_id(p) for p in passages if p != own),
            excluded=(own_id, *(corpus.passage_id(p) for p in sorted(unfit))),
            cluster=corpus.document_id(document),
            tags={
                "span": "kept" if kept else "removed",
                "recurring_span": " ".join(corpus.text(own)[start:end].split()),
            },
        )

    def _text(
        self, passage: str, spans: Sequence[Range], chosen: int, rng: np.random.Generator
    ) -> tuple[str, bool]:
        words = passage_words(passage)
        occurrences = [
            (int(np.searchsorted(words.starts, start)), int(np.searchsorted(words.ends, end)) + 1)
            for start, end in spans
        ]
        result = self.transform.ranges(len(words.starts), occurrences, chosen, rng)
        ranges = result.ranges if result.kept_span else _without(result, occurrences)
        pieces = (passage[words.starts[a] : words.ends[b - 1]] for a, b in ranges if a < b)
        return " ".join(" ".join(pieces).split()), result.kept_span


class WordBounds(NamedTuple):
    """The starts and ends of a passage's words, in code points."""

    starts: np.ndarray
    ends: np.ndarray


def passage_words(passage: str) -> WordBounds:
    """Return a passage's words: its tokens that are not single characters of punctuation."""
    words = scan_words(code_points(passage))
    kept = [
        number
        for number, (start, end) in enumerate(zip(words.starts, words.ends, strict=True))
        if end - start > 1 or passage[start].isalnum()
    ]
    return WordBounds(words.starts[kept], words.ends[kept])


def _without(result: QueryRanges, occurrences: Sequence[Range]) -> Sequence[Range]:
    """Remove every occurrence from the ranges, but not if nothing would be left."""
    taken = {unit for start, end in occurrences for unit in range(start, end)}
    pieces: list[list[int]] = []
    for start, end in result.ranges:
        for unit in range(start, end):
            if unit in taken:
                continue
            if pieces and pieces[-1][1] == unit:
                pieces[-1][1] = unit + 1
            else:
                pieces.append([unit, unit + 1])
    return [(start, end) for start, end in pieces] or result.ranges
