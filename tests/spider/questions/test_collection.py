import pytest

from spider.errors import DataError
from spider.question import Question
from spider.questions.collection import QuestionCollector


def question(identity: str, *answers: str) -> Question:
    return Question(id=identity, text="?", answers=answers)


def test_what_has_no_answer_is_counted() -> None:
    collected = QuestionCollector("q.jsonl")
    collected.add(question("a", "x"), 1)
    collected.add(question("b"), 2)
    collected.add(Question(id="c", text="?", relevant=("p",)), 3)
    collected.skip("blank")
    assert len(collected) == len(collected.questions) == 3
    assert collected.counts == {"questions_without_answers": 1, "skipped_blank": 1}


def test_a_repeated_id_names_both_lines() -> None:
    collected = QuestionCollector("q.jsonl")
    collected.add(question("a"), 1)
    with pytest.raises(DataError, match=r"'a' occurs in line 1 and in line 4; .*keep_first=true"):
        collected.add(question("a"), 4)


def test_the_first_can_be_kept() -> None:
    collected = QuestionCollector("q.jsonl", keep_first=True)
    for number, answer in enumerate(("x", "y", "z")):
        collected.add(question("a", answer), number)
    assert collected.questions == (question("a", "x"),)
    assert collected.counts == {"skipped_repeated_id": 2}
