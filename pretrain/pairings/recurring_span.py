"""The paper's pairing: two passages of one document that share a recurring span."""

import numpy as np
from jaxtyping import Int32, Int64, Integer

from pretrain.pairings.pairing import PairExample, other_passage
from spider.corpus.corpus import Corpus
from spider.errors import SettingError
from spider.questions.transforms.query_ranges import QueryTransform
from spider.spans.span_store import SpanStore
from spider.text.token_store import TokenStore


class RecurringSpan:
    """The query is a window around a span of one passage; the positive has the same span.

    One pass visits each cluster once, so a document counts in proportion to its clusters and long
    documents dominate, as in the paper; ``per_document_cap`` limits this.

    Source: Ram et al. 2022, section 3.1; the authors' ``_create_pretraining_biencoder_input``.

    Args:
        transform: makes the query from its passage.
        negatives: whether a passage of the document without the span is the negative, or there is
            none.
        per_document_cap: the largest number of clusters of a document in a pass, drawn again for
            each pass; None keeps all.
    """

    def __init__(
        self,
        *,
        transform: QueryTransform,
        negatives: int = 1,
        per_document_cap: int | None = None,
    ):
        if not isinstance(transform, QueryTransform):
            # Hydra accepts any member of the group; training reads word pieces, not text
            raise SettingError(
                "transform",
                type(transform).__name__,
                "a transform that chooses ranges of word pieces: random_window, prefix or mask",
            )
        if negatives not in (0, 1):
            raise SettingError("negatives", negatives, "0 or 1")
        if per_document_cap is not None and per_document_cap < 1:
            raise SettingError("per_document_cap", per_document_cap, "at least 1, or null")
        self.transform = transform
        self.negatives = negatives
        self.per_document_cap = per_document_cap

    def prepare(
        self, corpus: Corpus, spans: SpanStore, tokens: TokenStore
    ) -> "PreparedRecurringSpan":
        """Bind the settings to a corpus and its spans."""
        return PreparedRecurringSpan(self, spans, tokens)


class PreparedRecurringSpan:
    """The clusters of the training documents."""

    def __init__(self, settings: RecurringSpan, spans: SpanStore, tokens: TokenStore):
        self._settings = settings
        self._spans = spans
        self._tokens = tokens
        self._clusters = np.asarray(spans.train_clusters(), dtype=np.int64)
        self._documents = np.asarray(spans.documents[self._clusters], dtype=np.int64)
        self._length = len(self._clusters)
        if settings.per_document_cap is not None:
            _, counts = np.unique(self._documents, return_counts=True)
            self._length = int(np.minimum(counts, settings.per_document_cap).sum())

    def __len__(self) -> int:
        return self._length

    def order(self, rng: np.random.Generator) -> Int64[np.ndarray, " pairs"]:
        """Return a random order of the clusters, capped by document."""
        order = rng.permutation(len(self._clusters))
        cap = self._settings.per_document_cap
        if cap is None:
            return order
        # rank of each cluster among its document's clusters, in the random order
        documents = self._documents[order]
        grouped = np.argsort(documents, kind="stable")
        _, begins, counts = np.unique(documents[grouped], return_index=True, return_counts=True)
        rank = np.empty(len(order), dtype=np.int64)
        rank[grouped] = np.arange(len(order)) - np.repeat(begins, counts)
        return order[rank < cap]

    def example(self, index: int, rng: np.random.Generator) -> PairExample:
        """Draw two passages of a cluster, an occurrence, a window and a negative."""
        cluster = int(self._clusters[index])
        occurrences = self._spans.occurrences(cluster)
        positions = np.asarray(occurrences.positions, dtype=np.int64)
        passages = np.unique(positions)
        own = int(rng.integers(len(passages)))
        other = (own + 1 + int(rng.integers(len(passages) - 1))) % len(passages)
        query_passage, positive = int(passages[own]), int(passages[other])
        here = positions == query_passage
        query = self._query(query_passage, occurrences.starts[here], occurrences.ends[here], rng)
        negative = -1
        if self._settings.negatives:
            document = int(self._documents[index])
            taken = self._spans.without_withheld(document, passages)
            negative = other_passage(self._spans.candidates(document), taken, rng)
        return PairExample(query, positive, negative, passages)

    def _query(
        self,
        position: int,
        starts: Int32[np.ndarray, " occurrences"],
        ends: Int32[np.ndarray, " occurrences"],
        rng: np.random.Generator,
    ) -> Integer[np.ndarray, " _"]:
        tokens = self._tokens
        ids = tokens.passage(position)
        bounds = zip(starts.tolist(), ends.tolist(), strict=True)
        ranges = [tokens.token_range(position, start, end) for start, end in bounds]
        # a tokenizer may drop every character of a span (control characters)
        ranges = [(start, end) for start, end in ranges if start < end] or [(0, len(ids))]
        chosen = int(rng.integers(len(ranges)))
        kept = self._settings.transform.ranges(len(ids), ranges, chosen, rng)
        return np.array(kept.take(ids.tolist(), tokens.mask_id), dtype=ids.dtype)
