"""Held-out recurring spans: documents kept from training, and queries made from them.

They measure a retriever without labels. The query is a window of one passage around a recurring
span. The relevant passages are the document's other passages with that span. The query's own
passage is excluded from every system's list. Half of the queries keep the span; a tag records
which. Unlike the paper, whose transform removes the chosen
occurrence alone, a removed span is removed from the whole query.

Of a document that is split by sections, the held-out sections give the queries. Their relevant
passages are in held-out sections too. Its passages with the span in other parts are excluded: they
may answer the query, but an encoder was trained on them.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from spider.corpus.corpus import Corpus
from spider.corpus.split import order_by_hash, seeded_hash
from spider.errors import ConfigError
from spider.question import Question, QuestionSet
from spider.questions.transforms.query_ranges import QueryRanges, QueryTransform, Range
from spider.spans.span_store import SpanStore
from spider.text.word_scanner import code_points, scan_words


class Source(NamedTuple):
    """A held-out document or section, of which queries are made.

    Attributes:
        document: the number of the document.
        id: names the source; queries of one source are resampled together.
        passages: its passages.
        clusters: clusters with an occurrence in these passages.
    """

    document: int
    id: str
    passages: range
    clusters: Sequence[int]


class HeldoutQueries:
    """Makes the held-out queries of a split.

    The transform's units are words (tokens with a letter or digit; see :mod:`spider.text.words`).
    The query is the raw text of the chosen words, with the casing and punctuation between them;
    white space becomes single spaces, and one space joins the two sides of a removed span. A
    removed span is removed at each of its occurrences in the window.

    Args:
        transform: how a query is made.
        clusters_per_document: the maximum number of queries for a document, or for a section.
        documents: the maximum number of documents and sections of a split that get queries, in the
            order of their hashes. It keeps the sets small on a large corpus.
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
        sources = [
            Source(number, ids[number], corpus.document_passages(number), store.clusters_of(number))
            for number in chosen
        ]
        sources += self._sections(name, corpus, store)[: self.documents - len(chosen)]
        questions = [question for source in sources for question in self._of(source, corpus, store)]
        return QuestionSet(name=f"held-out {name}", questions=tuple(questions), match="passage")

    def _sections(self, name: str, corpus: Corpus, store: SpanStore) -> list[Source]:
        """Return the held-out sections with the clusters that have an occurrence in them."""
        rows = store.split.sections_of(name).tolist()
        ids = [f"{corpus.document_id(number)}#{first}-{after}" for number, first, after, _ in rows]
        found = []
        for place in order_by_hash(ids, range(len(rows)), self.seed):
            number, first, after, part = rows[place]
            own = store.clusters_of(number)
            parts = store.cluster_parts(own.start, own.stop)
            clusters = [
                own[cluster]
                for cluster in np.flatnonzero(parts == part).tolist()
                if ((at := store.occurrences(own[cluster]).positions) >= first).any()
                and (at[at >= first] < after).any()
            ]
            found.append(Source(number, ids[place], range(first, after), clusters))
        return found

    def _of(self, source: Source, corpus: Corpus, store: SpanStore) -> list[Question]:
        rng = np.random.default_rng(seeded_hash(self.seed, source.id))
        size = min(self.clusters_per_document, len(source.clusters))
        picked = np.sort(rng.choice(len(source.clusters), size=size, replace=False)) if size else ()
        return [self._query(source.clusters[int(p)], source, corpus, store, rng) for p in picked]

    def _query(
        self,
        cluster: int,
        source: Source,
        corpus: Corpus,
        store: SpanStore,
        rng: np.random.Generator,
    ) -> Question:
        where = store.occurrences(cluster)
        passages = np.unique(where.positions)
        inside = (passages >= source.passages.start) & (passages < source.passages.stop)
        own = int(rng.choice(passages[inside]))
        here = where.positions == own
        spans = list(zip(where.starts[here].tolist(), where.ends[here].tolist(), strict=True))
        chosen = int(rng.integers(len(spans)))
        text, kept = self._text(corpus.text(own), spans, chosen, rng)
        start, end = spans[chosen]
        own_id = corpus.passage_id(own)
        span = " ".join(corpus.text(own)[start:end].split())
        # a padded last passage repeats the document's beginning: neither relevant nor irrelevant
        unfit = set(corpus.document_passages(source.document))
        unfit -= set(store.candidates(source.document))
        unfit |= set(_elsewhere(span, passages, source.document, corpus, store))
        return Question(
            id=f"{own_id}@{start}-{end}",
            text=text,
            relevant=tuple(corpus.passage_id(p) for p in passages if p != own),
            excluded=(own_id, *(corpus.passage_id(p) for p in sorted(unfit))),
            cluster=source.id,
            tags={"span": "kept" if kept else "removed", "recurring_span": span},
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


def _elsewhere(
    span: str, passages: Int64[np.ndarray, " _"], document: int, corpus: Corpus, store: SpanStore
) -> list[int]:
    """Return the passages of the document's other parts that hold the span."""
    if not len(store.split.withheld(document)):
        return []
    own_part = int(store.split.sections.parts_of(passages[:1])[0])
    texts = _folded_texts(corpus, document)
    first = corpus.document_passages(document).start
    wanted = span.casefold()
    return [
        position
        for position in store.split.sections.outside(document, own_part).tolist()
        if wanted in texts[position - first]
    ]


@lru_cache(maxsize=1)
def _folded_texts(corpus: Corpus, document: int) -> list[str]:
    places = corpus.document_passages(document)
    return [" ".join(text.casefold().split()) for text in corpus.texts(places)]


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
