"""The protocols accept what has their methods and refuse what lacks one."""

from collections.abc import Mapping, Sequence

import numpy as np

from spider.answer import Answer
from spider.interfaces import (
    PassageEncoder,
    QuestionEncoder,
    Reader,
    Retriever,
    SearchEngine,
)
from spider.ranking import Hits, RankedPassage


class OneRanking:
    def search(self, questions: Sequence[str], depth: int) -> Hits:
        shape = (len(questions), depth)
        return Hits(np.zeros(shape, np.int64), np.zeros(shape, np.float32))


class ManyRankings(OneRanking):
    systems = ("bm25",)

    def rankings(
        self,
        questions: Sequence[str],
        depth: int,
        *,
        systems: Sequence[str],
        excluded: Sequence[Sequence[int]] | None = None,
    ) -> Mapping[str, Hits]:
        return {name: self.search(questions, depth) for name in systems}

    def close(self) -> None:
        pass


class FirstTitle:
    def answer(
        self, questions: Sequence[str], passages: Sequence[Sequence[RankedPassage]]
    ) -> list[Answer]:
        return [Answer(text=ranked[0].title, confidence=1.0) for ranked in passages]


class Vectors:
    dimension = 2

    def encode_questions(self, texts: Sequence[str]) -> np.ndarray:
        return np.zeros((len(texts), 2), np.float32)


def test_a_protocol_accepts_what_has_its_methods_and_nothing_less() -> None:
    retriever: Retriever = OneRanking()
    engine: SearchEngine = ManyRankings()
    reader: Reader = FirstTitle()
    assert isinstance(retriever, Retriever)
    assert not isinstance(retriever, SearchEngine)
    assert isinstance(engine, SearchEngine)
    assert isinstance(engine, Retriever)
    assert isinstance(reader, Reader)
    assert not isinstance(reader, Retriever)
    assert isinstance(Vectors(), QuestionEncoder)
    assert not isinstance(Vectors(), PassageEncoder)
