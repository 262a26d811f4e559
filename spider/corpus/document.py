"""Document (a user's text) and Passage (the unit of retrieval)."""

from dataclasses import dataclass
from typing import NamedTuple


class PassageBounds(NamedTuple):
    """The place of one passage in its document's text.

    Attributes:
        id: the passage's id, unique in the corpus.
        start: first code point of the passage in the document's text.
        end: the code point after the last.
    """

    id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document: a file, an article, a row.

    Attributes:
        id: unique in its corpus, stable when the corpus is prepared again (a relative path, say).
        title: may be empty.
        text: the extracted text; every offset counts code points into it.
        passages: given when the source is already cut into passages, which are then kept as they
            are; None lets the splitter cut.
    """

    id: str
    title: str
    text: str
    passages: tuple[PassageBounds, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stretch of one document, the unit of retrieval.

    Attributes:
        id: unique in the corpus.
        document_id: the document it was cut from.
        title: that document's title.
        text: ``document.text[start:end]``, with its white space unchanged.
        start: first code point in the document's text.
        end: the code point after the last.
    """

    id: str
    document_id: str
    title: str
    text: str
    start: int
    end: int
