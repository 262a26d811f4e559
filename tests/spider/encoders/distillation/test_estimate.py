import numpy as np
import pytest

from spider.encoders.distillation.estimate import (
    first_sentences,
    mean_cosine,
    overlap_at,
    spread,
)


def test_overlap_of_hand_made_rankings() -> None:
    questions = np.eye(1, 4, dtype=np.float32)
    teacher = np.array([[4.0], [3.0], [2.0], [1.0]], np.float32) * questions
    student = np.array([[4.0], [1.0], [2.0], [3.0]], np.float32) * questions
    assert overlap_at(questions, student, teacher, depth=2) == 0.5
    assert overlap_at(questions, teacher, teacher, depth=2) == 1.0
    # the depth is at most half of the passages
    assert overlap_at(questions, student, teacher, depth=20) == 0.5


def test_ties_are_decided_by_position() -> None:
    questions = np.ones((3, 2), np.float32)
    same = np.ones((8, 2), np.float32)
    assert overlap_at(questions, same, same.copy(), depth=3) == 1.0


def test_nothing_held_out_measures_nothing() -> None:
    none = np.zeros((0, 4), np.float32)
    assert mean_cosine(none, none) == 0.0
    assert overlap_at(np.ones((2, 4), np.float32), none, none) == 0.0
    assert overlap_at(none, np.ones((5, 4), np.float32), np.ones((5, 4), np.float32)) == 0.0


def test_mean_cosine() -> None:
    one = np.array([[1.0, 0.0], [0.6, 0.8]], np.float32)
    other = np.array([[1.0, 0.0], [0.8, 0.6]], np.float32)
    assert mean_cosine(one, other) == pytest.approx(0.98)


def test_first_sentences() -> None:
    texts = ["One two. Three four.", "", "   ", "no end", "word " * 50]
    assert first_sentences(texts) == ["One two.", "no end", " ".join(["word"] * 32)]


@pytest.mark.parametrize(("count", "at_most"), [(0, 5), (3, 5), (5, 5), (1000, 7)])
def test_spread(count: int, at_most: int) -> None:
    numbers = spread(count, at_most)
    assert len(set(numbers)) == min(count, at_most)
    assert all(0 <= number < count for number in numbers)
