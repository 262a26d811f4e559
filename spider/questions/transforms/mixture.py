"""Mixtures of transforms: each query is made by one of them."""

from collections.abc import Sequence

import numpy as np

from spider.errors import ConfigError
from spider.questions.transforms.passage_query import (
    DocumentQuery,
    DocumentTransform,
    PassageQuery,
    SpanPassage,
    SpanTransform,
)


class Mixture:
    """Several transforms in equal shares.

    The transforms of spans take turns by chance. Those of documents each make their queries; of all
    queries of a document the miner draws.

    Args:
        transforms: the parts; each makes queries of spans or of documents.

    Raises:
        ConfigError: there is no part, or one is neither.
    """

    def __init__(self, *, transforms: Sequence[SpanTransform | DocumentTransform]):
        wrong = [
            type(part).__name__
            for part in transforms
            if not isinstance(part, SpanTransform | DocumentTransform)
        ]
        if wrong or not transforms:
            raise ConfigError(
                f"transforms: got {wrong or 'none'}: expected transforms that make text, such as "
                "Cloze or Heading"
            )
        self.spans = [part for part in transforms if isinstance(part, SpanTransform)]
        self.documents = [part for part in transforms if isinstance(part, DocumentTransform)]

    def span_query(self, passage: SpanPassage, rng: np.random.Generator) -> PassageQuery | None:
        """Make a query with one of the transforms of spans; None if there is none."""
        if not self.spans:
            return None
        return self.spans[int(rng.integers(len(self.spans)))].span_query(passage, rng)

    def document_queries(self, title: str, passages: Sequence[str]) -> list[DocumentQuery]:
        """Return the queries of every transform of documents."""
        made = (part.document_queries(title, passages) for part in self.documents)
        return [query for queries in made for query in queries]
