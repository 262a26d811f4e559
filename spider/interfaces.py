"""The protocols through which the packages use each other's objects."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from spider.answer import Answer
from spider.ranking import Hits, RankedPassage


@runtime_checkable
class QuestionEncoder(Protocol):
    """Turns questions into vectors; the score of a passage is the inner product of both vectors."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode_questions(self, texts: Sequence[str]) -> Float32[np.ndarray, "texts dimension"]:
        """Encode questions (no title, no prefix)."""


@runtime_checkable
class PassageEncoder(Protocol):
    """Turns passages into vectors."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode_passages(
        self, titles: Sequence[str], texts: Sequence[str]
    ) -> Float32[np.ndarray, "texts dimension"]:
        """Encode passages, each as ``title [SEP] text``."""


@runtime_checkable
class Retriever(Protocol):
    """Ranks a corpus's passages for questions."""

    def search(self, questions: Sequence[str], depth: int) -> Hits:
        """Return at most ``depth`` passages for each question, best first."""


@runtime_checkable
class SearchEngine(Retriever, Protocol):
    """Retriever over one index that offers several rankings by name, called systems.

    ``search`` uses the last of :attr:`systems`. All methods may be called from several threads.
    """

    @property
    def systems(self) -> tuple[str, ...]:
        """Names of the rankings that the index offers, the recommended one last."""

    def rankings(
        self,
        questions: Sequence[str],
        depth: int,
        *,
        systems: Sequence[str],
        excluded: Sequence[Sequence[int]] | None = None,
    ) -> Mapping[str, Hits]:
        """Return one ranking for each system.

        Args:
            questions: texts.
            depth: passages for each question.
            systems: some of :attr:`systems`.
            excluded: for each question, corpus positions that no ranking may hold.

        Raises:
            ConfigError: the index does not offer one of the systems.
        """

    def close(self) -> None:
        """Release threads and files; a second call does nothing."""


@runtime_checkable
class Reader(Protocol):
    """Answers questions from passages, with evidence. It may extract or generate the answer."""

    def answer(
        self, questions: Sequence[str], passages: Sequence[Sequence[RankedPassage]]
    ) -> list[Answer]:
        """Answer each question.

        Args:
            questions: texts.
            passages: for each question, the passages to read, best first.

        Returns:
            One answer for each question; its text is empty where the reader abstains.
        """
