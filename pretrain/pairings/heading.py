"""A heading and a passage of its section."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int64, Integer

from pretrain.pairings.documents import training_documents
from pretrain.pairings.pairing import PairExample
from spider.corpus.corpus import Corpus
from spider.questions.transforms.heading import heading_places
from spider.spans.span_store import SpanStore
from spider.text.token_store import TokenStore


class Section(NamedTuple):
    """A heading and the passages up to the next one.

    Attributes:
        document: the number of its document.
        first: the position of the passage that holds the heading.
        stop: the position after its last passage.
        begin: where the heading begins in the text of ``first``.
        end: where it ends there.
        rest: where the section ends there: at the next heading, or with the passage.
    """

    document: int
    first: int
    stop: int
    begin: int
    end: int
    rest: int


class Heading:
    """The query is a document's title and a heading; the positive is a passage of that section.

    A heading such as "Examples" says little without the title. The positive is shown without
    its title. The passage that holds the heading is shown without it.

    Source: Meng et al. 2023, *AugTriever*, section 3 (Doc-Title), for a section.

    Args:
        titled: whether the query begins with the document's title.
    """

    def __init__(self, *, titled: bool = True):
        self.titled = titled

    def prepare(self, corpus: Corpus, spans: SpanStore, tokens: TokenStore) -> "PreparedHeading":
        """Bind the settings to the training documents that have headings."""
        return PreparedHeading(self, corpus, spans, tokens)


class PreparedHeading:
    """The sections of the training documents."""

    def __init__(self, settings: Heading, corpus: Corpus, spans: SpanStore, tokens: TokenStore):
        self._settings = settings
        self._spans = spans
        self._tokens = tokens
        self._sections = [
            section
            for document in training_documents(spans).tolist()
            for section in sections(corpus, document, spans.training_candidates(document))
            if self._has_text(section)
        ]

    def __len__(self) -> int:
        return len(self._sections)

    def order(self, rng: np.random.Generator) -> Int64[np.ndarray, " pairs"]:
        """Return a random order of the sections."""
        return rng.permutation(len(self._sections))

    def example(self, index: int, rng: np.random.Generator) -> PairExample:
        """Draw a passage of the section."""
        section = self._sections[index]
        heading, rest = self._parts(section)
        title = self._tokens.title(section.document)
        query = np.concatenate([title, heading]) if self._settings.titled else heading
        begin = section.first if len(rest) else section.first + 1
        positive = begin + int(rng.integers(section.stop - begin))
        candidates = self._spans.candidates(section.document)
        return PairExample(
            query.astype(heading.dtype),
            positive,
            known=np.arange(candidates.start, candidates.stop, dtype=np.int64),
            positive_text=rest if positive == section.first else None,
            titled=False,
        )

    def _has_text(self, section: Section) -> bool:
        heading, rest = self._parts(section)
        return len(heading) > 0 and (len(rest) > 0 or section.stop > section.first + 1)

    def _parts(
        self, section: Section
    ) -> tuple[Integer[np.ndarray, " _"], Integer[np.ndarray, " _"]]:
        """Return the heading's ids, and those that follow it in its passage."""
        ids = self._tokens.passage(section.first)
        begin, end = self._tokens.token_range(section.first, section.begin, section.end)
        _, stop = self._tokens.token_range(section.first, section.end, section.rest)
        return ids[begin:end], ids[end:stop]


def sections(
    corpus: Corpus, document: int, positions: Int64[np.ndarray, " passages"]
) -> list[Section]:
    """Return the sections of a document's passages.

    Args:
        corpus: passages.
        document: its number.
        positions: the passages that may be used, ascending; a section ends where one is missing.
    """
    found: list[Section] = []
    own = positions.tolist()
    marks = [heading_places(corpus.text(position)) for position in own]
    for place, (position, here) in enumerate(zip(own, marks, strict=True)):
        length = len(corpus.text(position))
        for number, (begin, end) in enumerate(here):
            last = number + 1 == len(here)
            stop = position + 1
            if last:
                for later, further in zip(own[place + 1 :], marks[place + 1 :], strict=True):
                    if further or later != stop:
                        break
                    stop = later + 1
            rest = length if last else here[number + 1][0]
            found.append(Section(document, position, stop, begin, end, rest))
    return found
