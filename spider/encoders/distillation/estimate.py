"""How much of its teacher a student keeps, measured on passages that it was not fitted to."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from spider.text.sentences import SENTENCE

DEPTH = 20
QUESTIONS = 200
LONGEST_QUESTION = 32
"""Words of a pseudo-question; a sentence may be a whole table."""

PseudoQuestions = Callable[[Sequence[str]], list[str]]
"""Makes at most one question of each text. The label-free measure can give another rule."""


class Estimate(NamedTuple):
    """The agreement of student and teacher on held-out passages.

    Attributes:
        cosine: the mean cosine of both vectors of a passage.
        overlap: the mean share of the teacher's first passages that are among the student's first,
            for pseudo-questions over the held-out passages.
        passages: number of held-out passages.
        questions: number of pseudo-questions.
    """

    cosine: float
    overlap: float
    passages: int
    questions: int


def mean_cosine(
    student: Float32[np.ndarray, "passages dimension"],
    teacher: Float32[np.ndarray, "passages dimension"],
) -> float:
    """Return the mean inner product of two vectors of a passage; 0 without passages."""
    return float((student * teacher).sum(axis=1).mean(dtype=np.float64)) if len(student) else 0.0


def overlap_at(
    questions: Float32[np.ndarray, "questions dimension"],
    student: Float32[np.ndarray, "passages dimension"],
    teacher: Float32[np.ndarray, "passages dimension"],
    *,
    depth: int = DEPTH,
) -> float:
    """Return the mean share of one ranking's first ``depth`` passages that the other has too.

    A tie is decided by the position. Fewer passages than ``depth`` + 1 would always agree, so the
    depth is at most half of them.
    """
    depth = min(depth, len(student) // 2)
    if not len(questions) or depth == 0:
        return 0.0
    first = [
        np.argsort(-(questions @ vectors.T), axis=1, kind="stable")[:, :depth]
        for vectors in (student, teacher)
    ]
    shared = [len(np.intersect1d(a, b)) for a, b in zip(*first, strict=True)]
    return float(np.mean(shared) / depth)


def first_sentences(texts: Sequence[str]) -> list[str]:
    """Return the first sentence of each text, cut to 32 words; a text without one gives nothing."""
    found = [SENTENCE.search(text) for text in texts]
    sentences = [" ".join(match[0].split()[:LONGEST_QUESTION]) for match in found if match]
    return [sentence for sentence in sentences if sentence]


def spread(count: int, at_most: int = QUESTIONS) -> list[int]:
    """Return at most ``at_most`` numbers below ``count``, evenly spread."""
    kept = min(count, at_most)
    return [number * count // kept for number in range(kept)]
