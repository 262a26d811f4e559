import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.errors import DataError
from spider.question import Question, QuestionSet, is_blank, load_question_set

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
# plain values: a question is made in the test, since beartype draws random numbers when it checks
records = st.fixed_dictionaries(
    {
        "id": words,
        "text": words.map("?".__add__),
        "answers": st.lists(words),
        "relevant": st.lists(words),
        "excluded": st.lists(words),
        "cluster": words,
        "group": words,
        "tags": st.dictionaries(words, words),
        "grades": st.dictionaries(words, st.integers(-1, 3), max_size=2),
    }
)


@given(st.lists(records, unique_by=lambda record: record["id"], max_size=4))
def test_saved_set_loads_equal(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[dict[str, Any]]
) -> None:
    folder = tmp_path_factory.mktemp("set")
    lists = ("answers", "relevant", "excluded")
    questions = tuple(
        Question(**{k: tuple(v) if k in lists else v for k, v in record.items()})
        for record in drawn
    )
    written = QuestionSet(name="n", questions=questions, match="regex", averaging="macro")
    written.save(folder)
    assert load_question_set(folder) == written


def test_missing_file_and_malformed_line_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no question_set\.json"):
        load_question_set(tmp_path)
    QuestionSet(name="n", questions=(Question(id="1", text="t"),)).save(tmp_path)
    with (tmp_path / "questions.jsonl").open("a") as file:
        file.write('{"id": "2"}\n')
    with pytest.raises(DataError, match=r"questions\.jsonl:2: not a question"):
        load_question_set(tmp_path)


@pytest.mark.parametrize("text", ["", " \t\n", "\u3000", "\u200b\ufeff", "\x00\x1b", "\u0301"])
def test_a_question_holds_text(text: str, tmp_path: Path) -> None:
    asked = (Question(id="0", text="who?"), Question(id="7", text=text))
    with pytest.raises(DataError, match=r"question set n: question 2 \('7'\) is blank"):
        QuestionSet(name="n", questions=asked)
    QuestionSet(name="n", questions=asked[:1]).save(tmp_path)
    with (tmp_path / "questions.jsonl").open("a") as file:
        file.write(json.dumps({"id": "7", "text": text}) + "\n")
    with pytest.raises(DataError, match=r"question 2 \('7'\) is blank"):
        load_question_set(tmp_path)


GOOD = '{"id": "1", "text": "t"}'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "not JSON"),
        ("null", "got a NoneType, expected an object"),
        ("[]", "got a list, expected an object"),
        ('{"text": "t"}', r"got the fields \['text'\], expected id, text and some of"),
        ('{"id": "2", "text": "t", "more": 1}', "got the fields"),
        ('{"id": 2, "text": "t"}', "field id: got 2, expected a text"),
        ('{"id": "2", "text": null}', "field text: got None, expected a text"),
        ('{"id": "2", "text": ["t"]}', "field text: got"),
        ('{"id": "2", "text": "t", "answers": "a"}', "field answers: got 'a', expected a list"),
        ('{"id": "2", "text": "t", "answers": [1]}', "expected a list of texts"),
        ('{"id": "2", "text": "t", "relevant": {"a": 1}}', "field relevant"),
        ('{"id": "2", "text": "t", "excluded": 3}', "field excluded"),
        ('{"id": "2", "text": "t", "tags": []}', "field tags: got .., expected an object of texts"),
        ('{"id": "2", "text": "t", "tags": {"a": 1}}', "field tags"),
        ('{"id": "2", "text": "t", "grades": {"a": true}}', "object of whole numbers"),
        ('{"id": "2", "text": "t", "grades": {"a": NaN}}', "object of whole numbers"),
        ('{"id": "2", "text": "t", "group": 1}', "field group"),
        ("[" * 10_000, "nested too deeply"),
        ('{"id": "2", "text": "t", "answers": [' + "9" * 5_000 + "]}", "limit"),
        ('{"id": "2", "text": "' + "9" * 500 + '", "tags": 1}', "field tags"),
    ],
)
def test_a_line_that_is_no_question_is_named(line: str, said: str, tmp_path: Path) -> None:
    QuestionSet(name="n", questions=(Question(id="1", text="t"),)).save(tmp_path)
    (tmp_path / "questions.jsonl").write_text(f"{GOOD}\n{line}\n")
    with pytest.raises(DataError, match=rf"questions\.jsonl:2: .*{said}") as caught:
        load_question_set(tmp_path)
    assert len(str(caught.value)) < 500


def test_a_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    QuestionSet(name="n", questions=(Question(id="1", text="t"),)).save(tmp_path)
    (tmp_path / "questions.jsonl").write_bytes(f"{GOOD}\n".encode() + b'{"id": "\xe9"}\n')
    with pytest.raises(DataError, match=r"questions\.jsonl:2: not UTF-8"):
        load_question_set(tmp_path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("[]", "expected a JSON object, got a list"),
        ("{}", r"got \[\], expected the keys"),
        ('{"name": 3}', "name: got 3, expected a text"),
        ('{"name": "n", "match": "exact"}', "match: got 'exact', expected one of string, regex"),
        ('{"name": "n", "match": []}', "match: got "),
        ('{"name": "n", "averaging": null}', "averaging: got None, expected one of micro"),
        ('{"name": "n", "questions": []}', "expected the keys"),
        ("{", "not JSON"),
    ],
)
def test_settings_that_are_none_are_named(settings: str, said: str, tmp_path: Path) -> None:
    QuestionSet(name="n", questions=(Question(id="1", text="t"),)).save(tmp_path)
    (tmp_path / "question_set.json").write_text(settings)
    with pytest.raises(DataError, match=rf"question_set\.json.*{said}"):
        load_question_set(tmp_path)


@pytest.mark.parametrize("grade", ["2", 1.0, True, None, 10**30])
def test_a_grade_is_a_small_whole_number(grade: object, tmp_path: Path) -> None:
    QuestionSet(name="n", questions=()).save(tmp_path)
    record = {"id": "1", "text": "t", "relevant": ["d"], "grades": {"d": grade}}
    (tmp_path / "questions.jsonl").write_text(json.dumps(record) + "\n")
    with pytest.raises(DataError, match=r"field grades: got .*whole numbers"):
        load_question_set(tmp_path)


def test_what_can_be_searched_for_is_not_blank() -> None:
    assert not any(
        map(is_blank, ("?", "5", "\u6771\u4eac", "\U0001f984", " c++ ", "\u20ac", "\u0e17"))
    )


def test_ids_are_unique() -> None:
    twice = (Question(id="1", text="a"), Question(id="1", text="b"))
    with pytest.raises(DataError, match="occurs twice"):
        QuestionSet(name="n", questions=twice)
