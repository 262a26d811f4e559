import gzip
import json
from pathlib import Path

import pytest

from spider.errors import DataError
from spider.parsing.nested_json import refuse_squad
from spider.questions.jsonl import JsonLinesQuestions
from spider.questions.recognition import recognise_questions
from spider.questions.web_questions import WebQuestions
from spider.sources.jsonl import JsonLines

SQUAD = {
    "version": "v2.0",
    "data": [{"title": "T", "paragraphs": [{"context": "c", "qas": [{"question": "q?"}]}]}],
}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(SQUAD),
        json.dumps(SQUAD, indent=2),
        json.dumps({"data": SQUAD["data"], "version": "1.1"}),
        json.dumps(SQUAD, separators=(",", ":")) + "\n",
        "\n" + json.dumps({"data": [{"paragraphs": [], "title": "{}"}]}),
    ],
)
def test_squads_nested_json_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "squad.json"
    path.write_text(content)
    for read in (
        lambda: JsonLinesQuestions(path=path, name="S").read(),
        lambda: WebQuestions(path=path).read(),
        lambda: list(JsonLines(path=path).documents()),
    ):
        with pytest.raises(DataError, match=r"squad\.json: SQuAD's nested JSON; expected one row"):
            read()


@pytest.mark.parametrize(
    "row",
    [
        {"question": "What is in data?", "data": [{"text": "paragraphs"}]},
        {"question": '"data": [{"paragraphs": ['},
        {"text": "q", "data": {"paragraphs": []}},
    ],
)
def test_rows_pass(row: dict[str, object]) -> None:
    refuse_squad(json.dumps(row).encode(), Path("x"))


def test_an_object_over_several_lines_is_named(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    path.write_text(json.dumps([{"question": "a?"}], indent=1))
    with pytest.raises(DataError, match=r"q\.json:1: a JSON value begins here and ends in a later"):
        JsonLinesQuestions(path=path, name="x").read()


def test_a_compressed_list_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "web.json"
    path.write_bytes(gzip.compress(b'[{"qId": "1", "qText": "a?", "answers": ["x"]}]'))
    found = recognise_questions(path)
    assert found is not None
    assert found.question_set == "webquestions"
    assert WebQuestions(path=path).read().questions[0].answers == ("x",)
