import gzip
import json

import pytest

from spider.errors import DataError
from spider.question import Question
from spider.questions.web_questions import WebQuestions


def test_reads(tmp_path):
    path = tmp_path / "w.json.gz"
    rows = [{"qId": "w1", "qText": "who?", "answers": ["é", "b"]}]
    path.write_bytes(gzip.compress(json.dumps(rows).encode()))
    (question,) = WebQuestions(path=path).read().questions
    assert question == Question(id="w1", text="who?", answers=("é", "b"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "expected a JSON list, got a dict"),
        ("[1]", "entry 1: expected an object, got a int"),
        ('[{"qId": "1", "answers": ["a"]}]', "entry 1: no field 'qText'"),
        ("[\n\n}", r":3: not JSON"),
    ],
)
def test_malformed(tmp_path, text, message):
    path = tmp_path / "w.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        WebQuestions(path=path).read()
