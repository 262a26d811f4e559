import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spider.errors import DataError
from spider.question import Question, QuestionSet, load_question_set

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


@pytest.mark.parametrize("text", ["", " \t\n", "\u3000"])
def test_a_question_holds_text(text: str, tmp_path: Path) -> None:
    asked = (Question(id="0", text="who?"), Question(id="7", text=text))
    with pytest.raises(DataError, match=r"question set n: question 2 \('7'\) is blank"):
        QuestionSet(name="n", questions=asked)
    QuestionSet(name="n", questions=asked[:1]).save(tmp_path)
    with (tmp_path / "questions.jsonl").open("a") as file:
        file.write(json.dumps({"id": "7", "text": text}) + "\n")
    with pytest.raises(DataError, match=r"question 2 \('7'\) is blank"):
        load_question_set(tmp_path)


def test_ids_are_unique() -> None:
    twice = (Question(id="1", text="a"), Question(id="1", text="b"))
    with pytest.raises(DataError, match="occurs twice"):
        QuestionSet(name="n", questions=twice)
