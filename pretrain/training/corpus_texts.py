"""The texts of a corpus on which a vocabulary is trained."""

from collections.abc import Sequence
from typing import overload

from spider.corpus.corpus import Corpus


class CorpusTexts(Sequence[str]):
    """The texts that a vocabulary is trained on, read from the corpus when needed.

    A document's first passage includes the title.

    Args:
        corpus: passages.
        at_most: how many texts, spread evenly over the corpus.
    """

    def __init__(self, corpus: Corpus, at_most: int):
        self._corpus = corpus
        self._stride = max(1, -(-len(corpus) // at_most))

    def __len__(self) -> int:
        return -(-len(self._corpus) // self._stride)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        position = index * self._stride
        text = self._corpus.text(position)
        first = self._corpus.document_passages(self._corpus.document_number(position))[0]
        return f"{self._corpus.title(position)}\n{text}" if position == first else text
