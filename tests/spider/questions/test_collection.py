from pathlib import Path

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
    collected.skip("blank", 4)
    assert len(collected) == len(collected.questions) == 3
    assert collected.counts == {"questions_without_answers": 1, "skipped_blank": 1}
    assert collected.skipped["blank"]["examples"] == ["q.jsonl: line 4"]


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u200b", "\ufeff", "\u00a0", "\u0301", "\x00"])
def test_blank_answers_are_left_out_and_counted(blank: str) -> None:
    collected = QuestionCollector("q.jsonl")
    collected.add(question("a", "x", blank, "?"), 1)
    collected.add(question("b", blank, blank), 2)
    collected.add(question("c"), 3)
    assert [q.answers for q in collected.questions] == [("x", "?"), ()]
    assert collected.counts == {
        "blank_answers_left_out": 3,
        "skipped_all_answers_blank": 1,
        "questions_without_answers": 1,
    }
    assert collected.skipped["all_answers_blank"]["examples"] == ["q.jsonl: line 2"]


def test_an_id_in_two_files_names_both() -> None:
    collected = QuestionCollector("folder", unit="entry")
    collected.add(question("a"), 1, file=Path("one.json"))
    with pytest.raises(DataError, match=r"entry 1 of one\.json and in entry 1 of two\.json"):
        collected.add(question("a"), 1, file=Path("two.json"))


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
