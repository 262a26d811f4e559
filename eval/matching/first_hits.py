"""Matching of runs with their questions: the ranks that are hits, and the first of them."""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int32, Int64

from eval.matching.answer_matching import (
    AnswerRule,
    PreparedAnswers,
    matches,
    prepare_answers,
    prepare_passage,
)
from spider.corpus.corpus import Corpus
from spider.errors import DataError
from spider.question import QuestionSet
from spider.ranking import NO_PASSAGE
from spider.text.passage_words import has_unspaced

NO_HIT = 0

# prepared passages in memory: about 150 MB of English; neighbouring questions share most of them
CACHED_PASSAGES = 200_000

_logger = logging.getLogger(__name__)


class Ranked(NamedTuple):
    """The scored lists of one system: without excluded passages, cut at a depth.

    Attributes:
        positions: padded at the end with -1.
        scores: the run's scores, -inf where padded.
        dropped: number of excluded passages in the lists of the run.
    """

    positions: Int64[np.ndarray, "questions depth"]
    scores: np.ndarray
    dropped: int


def first_hit_ranks(
    relevance: Bool[np.ndarray, "questions depth"],
) -> Int32[np.ndarray, " questions"]:
    """Return the rank (from 1) of each question's first hit, ``NO_HIT`` where there is none."""
    if relevance.shape[1] == 0:
        return np.full(len(relevance), NO_HIT, dtype=np.int32)
    ranks = np.argmax(relevance, axis=1) + 1
    return np.where(relevance.any(axis=1), ranks, NO_HIT).astype(np.int32)


class HitFinder:
    """Applies the matching rule of a question set to ranked passages of one corpus.

    Args:
        question_set: questions and their rule.
        corpus: the passages, numbered by the positions of the run.
        rule: how answers that are strings are matched.
    """

    def __init__(self, question_set: QuestionSet, corpus: Corpus, rule: AnswerRule = "dpr"):
        self._corpus = corpus
        self._questions = question_set.questions
        self._mode = question_set.match
        self._rule: AnswerRule = rule
        self._prepared: dict[int, str] = {}
        self._answers: list[PreparedAnswers] = []
        self._relevant: list[frozenset[int]] = []
        if question_set.match == "passage":
            self._relevant = [
                _positions(corpus, question.id, question.relevant) for question in self._questions
            ]
        else:
            self._answers = [
                prepare_answers(question.answers, question_set.match, rule)
                for question in self._questions
            ]

    @property
    def relevant_counts(self) -> Int64[np.ndarray, " questions"] | None:
        """Number of relevant passages of each question; None where answers are matched."""
        if self._mode != "passage":
            return None
        return np.array([len(relevant) for relevant in self._relevant], dtype=np.int64)

    def excluded(self) -> list[frozenset[int]]:
        """Return the positions that are removed from the lists of each question."""
        return [_positions(self._corpus, q.id, q.excluded) for q in self._questions]

    def counts(self) -> Mapping[str, int]:
        """Return the number of questions with each defect that affects the results, and log it."""
        if self._mode == "passage":
            counts = {"questions_without_relevant": sum(not r for r in self._relevant)}
        else:
            counts = {
                "questions_without_answers": sum(not q.answers for q in self._questions),
                "questions_with_empty_answer": sum(a.everywhere for a in self._answers),
                "answers_not_a_pattern": sum(a.unusable for a in self._answers),
            }
            if self._mode == "string" and self._rule == "dpr":
                unspaced = [any(map(has_unspaced, q.answers)) for q in self._questions]
                counts["questions_with_answer_without_spaces"] = sum(unspaced)
        for name, number in counts.items():
            if number:
                _logger.warning("%s: %d", name, number)
        return counts

    def relevance(
        self, positions: Int64[np.ndarray, "questions depth"]
    ) -> Bool[np.ndarray, "questions depth"]:
        """Return for each rank of each question whether its passage is a hit."""
        found = np.zeros(positions.shape, dtype=np.bool_)
        for row, ranked in enumerate(positions):
            listed = ranked[ranked != NO_PASSAGE].tolist()
            if self._mode == "passage":
                relevant = self._relevant[row]
                found[row, : len(listed)] = [position in relevant for position in listed]
            else:
                answers = self._answers[row]
                found[row, : len(listed)] = [matches(answers, self._passage(p)) for p in listed]
        return found

    def _passage(self, position: int) -> str:
        prepared = self._prepared.get(position)
        if prepared is None:
            if len(self._prepared) >= CACHED_PASSAGES:
                self._prepared.clear()
            text = self._corpus.text(position)
            prepared = prepare_passage(
                text, "regex" if self._mode == "regex" else "string", self._rule
            )
            self._prepared[position] = prepared
        return prepared


def _positions(corpus: Corpus, question: str, ids: Sequence[str]) -> frozenset[int]:
    try:
        return frozenset(corpus.position(passage_id) for passage_id in ids)
    except DataError as error:
        raise DataError(f"question {question!r}: {error}") from error
