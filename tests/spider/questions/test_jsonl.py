import json

import pytest

from spider.errors import DataError
from spider.question import Question
from spider.questions.jsonl import JsonLinesQuestions


def test_reads(tmp_path):
    path = tmp_path / "q.jsonl"
    path.write_text(
        '{"question": "a?", "answer": "x"}\n\n'
        '{"id": 9, "question": "b?", "answer": ["y", "z"], "part": "p"}\n{"question": "c?"}\n'
    )
    read = JsonLinesQuestions(path=path, name="mine", group_field="part").read()
    assert read.questions == (
        Question(id="0", text="a?", answers=("x",)),
        Question(id="9", text="b?", answers=("y", "z"), group="p"),
        Question(id="2", text="c?"),
    )
    by_passage = JsonLinesQuestions(path=path, name="mine", match="passage").read()
    assert by_passage.questions[1].relevant == ("y", "z")
    assert by_passage.questions[1].answers == ()


def read(path, *rows, **settings):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    source = JsonLinesQuestions(path=path, name="mine", **settings)
    return source, source.read().questions


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"answers": ["x"]}, None),
        ({"answer": None, "answers": ["x"]}, None),
        ({"answers": {"text": ["x"], "answer_start": [3]}}, "answers.text"),
        ({"gold": "x"}, "gold"),
    ],
)
def test_other_fields_of_answers(tmp_path, row, field):
    _, (question,) = read(tmp_path / "q", {"question": "?", **row}, answer_field=field)
    assert question.answers == ("x",)


def test_a_named_answer_field_must_occur(tmp_path):
    with pytest.raises(
        DataError, match=r"no line has the field 'gold' of question_set\.answer_field"
    ):
        read(tmp_path / "q", {"question": "?", "answer": "x"}, answer_field="gold")
    _, questions = read(tmp_path / "q", {"question": "?"}, {"question": "?", "g": "x"})
    assert [question.answers for question in questions] == [(), ()]


def test_no_answer_is_counted_however_it_is_written(tmp_path):
    rows = [{"question": "?"} | answer for answer in ({"answer": []}, {"answer": None}, {})]
    source, questions = read(tmp_path / "q", *rows, {"question": "?", "answer": ["x"]})
    assert [question.answers for question in questions] == [(), (), (), ("x",)]
    assert source.counts == {"questions_without_answers": 3}


def test_ids(tmp_path):
    rows = [{"id": None}, {"id": 7}, {"id": "x"}]
    _, questions = read(tmp_path / "q", *({"question": "?"} | row for row in rows))
    assert [question.id for question in questions] == ["0", "7", "x"]
    rows = [{"id": "a", "question": text} for text in ("first", "second")]
    with pytest.raises(DataError, match="'a' occurs in line 1 and in line 2"):
        read(tmp_path / "q", *rows)
    _, (kept,) = read(tmp_path / "q", *rows, keep_first=True)
    assert kept.text == "first"


@pytest.mark.parametrize(
    "line",
    [
        '{"question": null}',
        '{"question": ["a"]}',
        '{"question": "a", "id": 7.0}',
        '{"question": "a", "id": ""}',
        '{"question": "a", "answers": {"text": ["x"]}}',
        '{"question": ""}',
        '{"q": 1}',
        '{"question": "a", "answer": [1]}',
        "nonsense",
    ],
)
def test_malformed(tmp_path, line):
    path = tmp_path / "q.jsonl"
    path.write_text(f'{{"question": "a?"}}\n{line}\n')
    with pytest.raises(DataError, match=r"q\.jsonl:2: "):
        JsonLinesQuestions(path=path, name="mine").read()


@pytest.mark.parametrize(
    "row",
    [
        {"answer": "x", "answers": ["y"]},
        {"answers": ["x", "y"], "answer": "x"},
        {"answer": "x", "answers": {"text": ["x"]}},
        {"answer": ["x"], "answers": [""]},
    ],
)
def test_two_fields_of_answers_that_differ_are_refused(tmp_path, row):
    with pytest.raises(DataError, match=r"q:2: the fields 'answer' and 'answers' give different"):
        read(tmp_path / "q", {"question": "?"}, {"question": "?", **row})
    _, (question,) = read(tmp_path / "q", {"question": "?", **row}, answer_field="answer")
    assert question.answers == ("x",)


@pytest.mark.parametrize(
    "row", [{"answer": "x", "answers": ["x"]}, {"answer": [], "answers": "x"}, {"answer": ["x"]}]
)
def test_two_fields_of_answers_that_agree_are_one(tmp_path, row):
    _, (question,) = read(tmp_path / "q", {"question": "?", **row})
    assert question.answers == ("x",)


def test_a_repeated_key_names_file_and_line(tmp_path):
    path = tmp_path / "q"
    path.write_text('{"question": "a"}\n{"question": "a", "answer": "x", "answer": "y"}\n')
    with pytest.raises(DataError, match=r"q:2: .*'answer' stands twice in one object"):
        JsonLinesQuestions(path=path, name="mine").read()
