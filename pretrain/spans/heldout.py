"""Held-out recurring spans: documents kept from training, and queries made from them.

They measure a retriever without labels. A transform makes the query from one passage with a
recurring span. The relevant passages are the document's other passages with that span. The query's
own passage is excluded from every system's list. A transform may also make queries from a
document's structure; then it says which passages are relevant. Tags record the form of the query
and whether it keeps the span. Unlike the paper, whose transform removes the chosen occurrence
alone, a removed span is removed from the whole query.

Of a document that is split by sections, the held-out sections give the queries. Their relevant
passages are in held-out sections too. Its passages with the span in other parts are excluded: they
may answer the query, but an encoder was trained on them.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from pretrain.spans.term_rarity import TermRarity
from pretrain.spans.window_queries import WindowQueries
from spider.corpus.corpus import Corpus
from spider.corpus.split import order_by_hash, seeded_hash
from spider.errors import ConfigError
from spider.question import Question, QuestionSet
from spider.questions.transforms.mixture import Mixture
from spider.questions.transforms.passage_query import (
    DocumentTransform,
    HeldoutTransform,
    SpanPassage,
    SpanTransform,
)
from spider.questions.transforms.query_ranges import QueryTransform
from spider.spans.span_store import SpanStore


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

    Args:
        transform: how a query is made.
        clusters_per_document: the maximum number of queries for a document, or for a section.
        documents: the maximum number of documents and sections of a split that get queries, in the
            order of their hashes. It keeps the sets small on a large corpus.
        seed: together with the document's id, it decides the document's queries.

    Attributes:
        skipped: spans of which no query could be made, because too few words are left.
    """

    def __init__(
        self, *, transform: HeldoutTransform, clusters_per_document: int, documents: int, seed: int
    ):
        if clusters_per_document < 1 or documents < 1:
            raise ConfigError(
                f"{clusters_per_document} clusters a document of {documents} documents: expected "
                "1 or more"
            )
        self._spans = _span_transform(transform)
        self._documents = transform if isinstance(transform, DocumentTransform) else None
        self._counted: TermRarity | None = None
        self.skipped = 0
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
        made = self._of_spans(source, corpus, store, rng) if self._spans else []
        if self._documents:
            made += self._of_structure(self._documents, source, corpus, store)
        if len(made) <= self.clusters_per_document:
            return made
        kept = rng.choice(len(made), size=self.clusters_per_document, replace=False)
        return [made[place] for place in sorted(kept.tolist())]

    def _of_spans(
        self, source: Source, corpus: Corpus, store: SpanStore, rng: np.random.Generator
    ) -> list[Question]:
        size = min(self.clusters_per_document, len(source.clusters))
        picked = np.sort(rng.choice(len(source.clusters), size=size, replace=False)) if size else ()
        made = [self._query(source.clusters[int(p)], source, corpus, store, rng) for p in picked]
        return [question for question in made if question is not None]

    def _query(
        self,
        cluster: int,
        source: Source,
        corpus: Corpus,
        store: SpanStore,
        rng: np.random.Generator,
    ) -> Question | None:
        where = store.occurrences(cluster)
        passages = np.unique(where.positions)
        inside = (passages >= source.passages.start) & (passages < source.passages.stop)
        own = int(rng.choice(passages[inside]))
        here = where.positions == own
        spans = list(zip(where.starts[here].tolist(), where.ends[here].tolist(), strict=True))
        chosen = int(rng.integers(len(spans)))
        text = corpus.text(own)
        others = corpus.texts(passages[passages != own].tolist())
        passage = SpanPassage(corpus.title(own), text, spans, chosen, self._rarity(corpus), others)
        made = self._spans.span_query(passage, rng) if self._spans else None
        if made is None:
            self.skipped += 1
            return None
        start, end = spans[chosen]
        span = " ".join(text[start:end].split())
        unfit = _padding(source.document, corpus, store)
        unfit |= set(_elsewhere(span, passages, source.document, corpus, store))
        own_id = corpus.passage_id(own)
        return Question(
            id=f"{own_id}@{start}-{end}",
            text=made.text,
            relevant=tuple(corpus.passage_id(p) for p in passages if p != own),
            excluded=(own_id, *(corpus.passage_id(p) for p in sorted(unfit - {own}))),
            cluster=source.id,
            tags={
                "span": "kept" if made.kept_span else "removed",
                "recurring_span": span,
                "form": made.form,
            },
        )

    def _of_structure(
        self, transform: DocumentTransform, source: Source, corpus: Corpus, store: SpanStore
    ) -> list[Question]:
        """Make the queries of a document's, or a section's, title, headings and sentences."""
        padding = _padding(source.document, corpus, store)
        places = [place for place in source.passages if place not in padding]
        if not places:
            return []
        outside = set(corpus.document_passages(source.document)) - set(places)
        made = transform.document_queries(corpus.title(places[0]), corpus.texts(places))
        questions = []
        for number, query in enumerate(made):
            own = {places[own] for own in query.own}
            questions.append(
                Question(
                    id=f"{source.id}@{query.form}-{number}",
                    text=query.text,
                    relevant=tuple(corpus.passage_id(places[one]) for one in query.relevant),
                    excluded=tuple(corpus.passage_id(p) for p in sorted(own | outside)),
                    cluster=source.id,
                    tags={"form": query.form},
                )
            )
        return questions

    def _rarity(self, corpus: Corpus) -> TermRarity:
        if self._counted is None or self._counted.corpus is not corpus:
            self._counted = TermRarity(corpus)
        return self._counted


def _span_transform(transform: HeldoutTransform) -> SpanTransform | None:
    if isinstance(transform, QueryTransform):
        return WindowQueries(transform)
    if isinstance(transform, Mixture) and not transform.spans:
        return None
    return transform if isinstance(transform, SpanTransform) else None


def _padding(document: int, corpus: Corpus, store: SpanStore) -> set[int]:
    """Return a padded last passage: it repeats the beginning, so it is neither right nor wrong."""
    return set(corpus.document_passages(document)) - set(store.candidates(document))


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
