import numpy as np
import pytest

from eval.matching import first_hits
from eval.matching.answer_matching import has_answer
from eval.matching.first_hits import HitFinder, first_hit_ranks
from spider.errors import DataError
from spider.question import Question, QuestionSet
from spider.text import answer_pattern

DOCUMENTS = [
    ("Paris", ["Paris is the capital of France.", "The Seine flows there.", "It has 2 airports."]),
    ("Rome", ["Rome is the capital of Italy.", "The Tiber flows there."]),
]


def test_first_hit_ranks() -> None:
    relevance = np.array([[False, True, True], [True, False, False], [False, False, False]])
    assert first_hit_ranks(relevance).tolist() == [2, 1, 0]
    assert first_hit_ranks(np.zeros((2, 0), dtype=np.bool_)).tolist() == [0, 0]


def test_answers_are_looked_for_in_the_text_without_the_title(make_corpus) -> None:
    corpus = make_corpus(DOCUMENTS)
    questions = (
        Question(id="a", text="?", answers=("Paris",)),
        Question(id="b", text="?", answers=("the Tiber", "seine")),
        Question(id="c", text="?"),
    )
    finder = HitFinder(QuestionSet(name="s", questions=questions), corpus)
    positions = np.array([[1, 0, 2, 3], [4, 1, -1, -1], [0, 1, 2, 3]])
    found = finder.relevance(positions)
    assert found.tolist() == [
        [False, True, False, False],
        [True, True, False, False],
        [False] * 4,
    ]
    for question, row, hits in zip(questions, positions, found, strict=True):
        for position, hit in zip(row, hits, strict=True):
            assert hit == (position >= 0 and has_answer(question.answers, corpus.text(position)))
    assert finder.graded(positions, 3) is None
    assert finder.counts()["questions_without_answers"] == 1


def test_regex_answers(make_corpus) -> None:
    questions = (Question(id="a", text="?", answers=(r"\d air", "(")),)
    finder = HitFinder(
        QuestionSet(name="s", questions=questions, match="regex"), make_corpus(DOCUMENTS)
    )
    assert finder.relevance(np.array([[0, 2]])).tolist() == [[False, True]]
    assert finder.counts()["answers_not_a_pattern"] == 1


def test_a_slow_pattern_matches_nothing_and_is_counted(make_corpus, monkeypatch) -> None:
    monkeypatch.setattr(answer_pattern, "SECONDS", 0.01)
    corpus = make_corpus([("d", ["short aaaab", "a" * 5000])])
    questions = [Question(id="slow", text="?", answers=("(?:a|aa)+b",))]
    finder = HitFinder(QuestionSet(name="s", questions=tuple(questions), match="regex"), corpus)
    assert finder.relevance(np.array([[0, 1]])).tolist() == [[True, False]]
    assert finder.too_slow == {"slow"}
    # every list is judged alike from now on
    assert finder.relevance(np.array([[0, 1]])).tolist() == [[False, False]]
    assert finder.counts()["answers_too_slow"] == 1


def test_many_slow_patterns_are_refused(make_corpus, monkeypatch) -> None:
    monkeypatch.setattr(answer_pattern, "SECONDS", 0.001)
    monkeypatch.setattr(first_hits, "MOST_SLOW", 2)
    corpus = make_corpus([("e", ["a" * 5000])])
    questions = tuple(Question(id=f"q{n}", text="?", answers=("(a|aa)+b",)) for n in range(9))
    finder = HitFinder(QuestionSet(name="s", questions=questions, match="regex"), corpus)
    with pytest.raises(DataError, match=r"more than 2 questions .* question 'q0'"):
        finder.relevance(np.zeros((9, 1), dtype=np.int64))


def test_relevant_passages(make_corpus) -> None:
    questions = (
        Question(id="a", text="?", relevant=("d0#1", "d1#0"), excluded=("d0#0",)),
        Question(id="b", text="?"),
    )
    finder = HitFinder(
        QuestionSet(name="s", questions=questions, match="passage"), make_corpus(DOCUMENTS)
    )
    assert finder.relevance(np.array([[0, 1, 3], [0, 1, 3]])).tolist() == [
        [False, True, True],
        [False, False, False],
    ]
    graded = finder.graded(np.array([[0, 1, 3], [0, 1, 3]]), 2)
    assert graded is not None
    assert graded.relevant.tolist() == [2, 0]
    assert graded.found.tolist() == [[False, True, True], [False, False, False]]
    assert graded.ideal.tolist() == [[1, 1], [0, 0]]
    assert finder.excluded() == [[0], []]
    assert finder.counts() == {
        "questions_without_relevant": 1,
        "relevant_not_in_corpus": 0,
        "questions_with_relevant_not_in_corpus": 0,
    }


def judge(corpus, positions, **question):
    questions = (Question(id="a", text="?", **question),)
    finder = HitFinder(QuestionSet(name="s", questions=questions, match="passage"), corpus)
    graded = finder.graded(np.array([positions]), 4)
    assert graded is not None
    return finder, graded


def test_grades_are_gains(make_corpus) -> None:
    grades = {"d0#1": 1, "d1#0": 3, "d0#0": 0}
    _, graded = judge(
        make_corpus(DOCUMENTS), [0, 1, 3, -1], relevant=("d0#1", "d1#0"), grades=grades
    )
    assert graded.gains.tolist() == [[0, 1, 3, 0]]
    assert graded.ideal.tolist() == [[3, 1]]


def test_a_document_is_found_once_by_any_of_its_passages(make_corpus) -> None:
    finder, graded = judge(make_corpus(DOCUMENTS), [3, 2, 0, 1], relevant=("d0",))
    assert finder.relevance(np.array([[3, 2, 0, 1]])).tolist() == [[False, True, True, True]]
    assert graded.relevant.tolist() == [1]
    assert graded.found.tolist() == [[False, True, False, False]]


def test_a_passage_and_its_document_are_found_one_after_the_other(make_corpus) -> None:
    grades = {"d0": 1, "d0#1": 2}
    _, graded = judge(make_corpus(DOCUMENTS), [1, 0], relevant=("d0", "d0#1"), grades=grades)
    assert graded.gains.tolist() == [[2, 1]]


def test_a_judged_passage_that_the_corpus_lacks_counts_as_not_found(make_corpus) -> None:
    finder, graded = judge(make_corpus(DOCUMENTS), [1, 0], relevant=("d0#1", "nowhere"))
    assert graded.relevant.tolist() == [2]
    assert graded.ideal.tolist() == [[1, 1]]
    assert finder.counts()["relevant_not_in_corpus"] == 1
    assert finder.counts()["questions_with_relevant_not_in_corpus"] == 1


@pytest.mark.parametrize(
    ("question", "match", "message"),
    [
        (
            Question(id="lost", text="?", relevant=("nowhere",)),
            "passage",
            r"'lost' names 'nowhere'",
        ),
        (Question(id="a", text="?"), "passage", "no question has a known relevant passage"),
        (Question(id="a", text="?"), "string", "no question has a known answer"),
    ],
)
def test_nothing_to_score_by(make_corpus, question, match, message) -> None:
    question_set = QuestionSet(name="s", questions=(question,), match=match)
    with pytest.raises(DataError, match=message):
        HitFinder(question_set, make_corpus(DOCUMENTS))


def test_the_cache_is_bounded(make_corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eval.matching.first_hits.CACHED_PASSAGES", 2)
    questions = (Question(id="a", text="?", answers=("there",)),)
    finder = HitFinder(QuestionSet(name="s", questions=questions), make_corpus(DOCUMENTS))
    positions = np.array([[0, 1, 2, 3, 4]])
    assert finder.relevance(positions).tolist() == [[False, True, False, False, True]]
    assert finder.relevance(positions).tolist() == [[False, True, False, False, True]]
    assert len(finder._prepared) <= 2
