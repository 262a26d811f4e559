"""Matching of runs with their questions: the ranks that are hits, and the first of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64, Int32, Int64

from eval.matching.answer_matching import (
    AnswerRule,
    PreparedAnswers,
    matches,
    prepare_answers,
    prepare_passage,
)
from spider.corpus.corpus import Corpus
from spider.errors import DataError
from spider.question import Question, QuestionSet
from spider.questions.judgements import check_judgements, excluded_positions, named_positions
from spider.ranking import NO_PASSAGE
from spider.text.answer_pattern import SECONDS
from spider.text.passage_words import has_unspaced

NO_HIT = 0
# patterns that may take too long: each costs a second or two
MOST_SLOW = 20

# prepared passages in memory: about 150 MB of English; neighbouring questions share most of them
CACHED_PASSAGES = 200_000


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


class Graded(NamedTuple):
    """The lists of one system, judged by the relevant ids of each question.

    An id may name a document of several passages. Its first passage in a list adds it; the others
    add nothing.

    Attributes:
        relevant: number of relevant ids of each question. An id that the corpus lacks counts too,
            as in trec_eval.
        found: whether each rank adds a relevant id.
        gains: the grade of the id that a rank adds, else 0.
        ideal: the grades of the relevant ids in descending order, cut or padded with 0.
    """

    relevant: Int64[np.ndarray, " questions"]
    found: Bool[np.ndarray, "questions depth"]
    gains: Float64[np.ndarray, "questions depth"]
    ideal: Float64[np.ndarray, "questions cutoffs"]


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

    Attributes:
        too_slow: ids of questions with a pattern that took too long so far. Such a pattern matches
            nothing from then on. When this set has grown, earlier lists have to be judged again, so
            that one rule holds for every system.

    Raises:
        DataError: no answer or judgement is known, so that there is nothing to score by; or the
            judgements are of another corpus.
    """

    def __init__(self, question_set: QuestionSet, corpus: Corpus, rule: AnswerRule = "dpr"):
        self.too_slow: set[str] = set()
        self._corpus = corpus
        self._questions = question_set.questions
        self._mode = question_set.match
        self._rule: AnswerRule = rule
        self._prepared: dict[int, str] = {}
        self._answers: list[PreparedAnswers] = []
        self._gold: list[_Gold] = []
        _check_scorable(question_set)
        if question_set.match == "passage":
            check_judgements(question_set, corpus)
            self._gold = [_Gold.of(question, corpus) for question in self._questions]
        else:
            self._answers = [
                prepare_answers(question.answers, question_set.match, rule)
                for question in self._questions
            ]

    def excluded(self) -> list[list[int]]:
        """Return the positions that are removed from the lists of each question."""
        return excluded_positions(self._questions, self._corpus)

    def graded(
        self, positions: Int64[np.ndarray, "questions depth"], largest_k: int
    ) -> Graded | None:
        """Judge lists by the grades of relevant passages; None where answers are matched.

        Args:
            positions: the lists.
            largest_k: ranks of the ideal lists.
        """
        if self._mode != "passage":
            return None
        found = np.zeros(positions.shape, dtype=np.bool_)
        gains = np.zeros(positions.shape)
        # a k of 10^9 would take terabytes for padding
        longest = max((len(gold.grades) for gold in self._gold), default=0)
        ideal = np.zeros((len(self._gold), min(largest_k, longest)))
        for row, gold in enumerate(self._gold):
            best = sorted(gold.grades, reverse=True)[:largest_k]
            ideal[row, : len(best)] = best
            for rank, grade in gold.additions(positions[row].tolist()):
                found[row, rank] = True
                gains[row, rank] = grade
        relevant = np.array([len(gold.grades) for gold in self._gold], dtype=np.int64)
        return Graded(relevant, found, gains, ideal)

    def counts(self) -> Mapping[str, int]:
        """Return the number of questions with each defect that affects the results."""
        if self._mode == "passage":
            return {
                "questions_without_relevant": sum(not gold.grades for gold in self._gold),
                "relevant_not_in_corpus": sum(gold.absent for gold in self._gold),
                "questions_with_relevant_not_in_corpus": sum(g.absent > 0 for g in self._gold),
            }
        counts = {
            "questions_without_answers": sum(not q.answers for q in self._questions),
            "questions_with_empty_answer": sum(a.everywhere for a in self._answers),
            "answers_not_a_pattern": sum(a.unusable for a in self._answers),
            "answers_too_slow": len(self.too_slow),
        }
        if self._mode == "string" and self._rule == "dpr":
            unspaced = [any(map(has_unspaced, q.answers)) for q in self._questions]
            counts["questions_with_answer_without_spaces"] = sum(unspaced)
        return counts

    def relevance(
        self, positions: Int64[np.ndarray, "questions depth"]
    ) -> Bool[np.ndarray, "questions depth"]:
        """Return for each rank of each question whether its passage is a hit."""
        found = np.zeros(positions.shape, dtype=np.bool_)
        for row, ranked in enumerate(positions):
            listed = ranked[ranked != NO_PASSAGE].tolist()
            if self._mode == "passage":
                holders = self._gold[row].holders
                found[row, : len(listed)] = [position in holders for position in listed]
            else:
                answers = self._answers[row]
                found[row, : len(listed)] = [matches(answers, self._passage(p)) for p in listed]
                self._note_slow_patterns(row)
        return found

    def _note_slow_patterns(self, row: int) -> None:
        if any(pattern.too_slow for pattern in self._answers[row].patterns):
            self.too_slow.add(self._questions[row].id)
        if len(self.too_slow) > MOST_SLOW:
            raise DataError(
                f"the answers of more than {MOST_SLOW} questions are regular expressions that take"
                f" over {SECONDS:g} s on one passage, such as that of question"
                f" {min(self.too_slow)!r}; write them without a repeat inside a repeat"
            )

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


class _Gold(NamedTuple):
    """The relevant ids of one question, numbered in their order.

    Attributes:
        grades: the grade of each id.
        holders: the numbers of the ids that name a position.
        absent: how many ids the corpus lacks.
    """

    grades: list[int]
    holders: dict[int, list[int]]
    absent: int

    @classmethod
    def of(cls, question: Question, corpus: Corpus) -> "_Gold":
        names = list(dict.fromkeys(question.relevant))
        holders: dict[int, list[int]] = {}
        absent = 0
        for number, name in enumerate(names):
            positions = named_positions(corpus, name)
            absent += not positions
            for position in positions:
                holders.setdefault(position, []).append(number)
        # a grade below 1 adds nothing, as in trec_eval
        return cls([max(question.grade(name), 0) for name in names], holders, absent)

    def additions(self, positions: Sequence[int]) -> Iterator[tuple[int, int]]:
        """Yield the ranks, from 0, at which an id is found for the first time, with its grade."""
        found: set[int] = set()
        for rank, position in enumerate(positions):
            left = [number for number in self.holders.get(position, ()) if number not in found]
            if left:
                best = max(left, key=self.grades.__getitem__)
                found.add(best)
                yield rank, self.grades[best]


def _check_scorable(question_set: QuestionSet) -> None:
    by_passage = question_set.match == "passage"
    if any(q.relevant if by_passage else q.answers for q in question_set.questions):
        return
    what = "relevant passage" if by_passage else "answer"
    raise DataError(
        f"question set {question_set.name}: no question has a known {what}, so every measure would "
        "be 0; prepare the questions with their answers (question_set.answer_field names the field)"
    )
