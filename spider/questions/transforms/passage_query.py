"""The protocols of query transforms that make text: of a passage with a span, or of a document.

:mod:`spider.questions.transforms.query_ranges` has the protocol of the paper's transforms, which
choose ranges of a passage's units. Training needs those, because it reads word pieces.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np

from spider.questions.transforms.query_ranges import QueryTransform, Range


class SpanPassage(NamedTuple):
    """A passage that holds a recurring span.

    Attributes:
        title: the title of its document; may be empty.
        text: its text.
        occurrences: half-open code-point ranges of the span in the text, ascending.
        chosen: the occurrence that the query is made around.
        rarity: a word's inverse document frequency in the corpus.
        relevant: the texts of the relevant passages: the other passages with the span.
    """

    title: str
    text: str
    occurrences: Sequence[Range]
    chosen: int
    rarity: Callable[[str], float]
    relevant: Sequence[str]


class PassageQuery(NamedTuple):
    """A query made of a passage.

    Attributes:
        text: the query.
        kept_span: False if the recurring span was removed from the query.
        form: the kind of query, for reports.
    """

    text: str
    kept_span: bool
    form: str


class DocumentQuery(NamedTuple):
    """A query made of a document, with its relevant passages.

    Attributes:
        text: the query.
        own: numbers of the passages that the query was made of, from 0.
        relevant: numbers of the passages that it asks for.
        form: the kind of query, for reports.
    """

    text: str
    own: tuple[int, ...]
    relevant: tuple[int, ...]
    form: str


@runtime_checkable
class SpanTransform(Protocol):
    """Makes the text of a query from a passage with a recurring span."""

    def span_query(self, passage: SpanPassage, rng: np.random.Generator) -> PassageQuery | None:
        """Make a query; None where the passage has too few words for one."""


@runtime_checkable
class DocumentTransform(Protocol):
    """Makes queries from the structure of a document: its title, headings and sentences."""

    def document_queries(self, title: str, passages: Sequence[str]) -> list[DocumentQuery]:
        """Make every query that the passages of a document, or of a section, allow."""


HeldoutTransform = QueryTransform | SpanTransform | DocumentTransform
"""What ``mine`` can make held-out queries with."""
