import json

import pytest

from spider.errors import DataError
from spider.questions.beir import BeirQuestions


@pytest.fixture
def folder(tmp_path):
    queries = [{"_id": f"q{n}", "text": f"query {n}"} for n in range(3)]
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq2\td1\t2\nq0\td2\t1\nq2\td3\t1\nq1\td1\t0\n"
    )
    return tmp_path


def test_judged_queries(folder):
    read = BeirQuestions(path=folder, name="B").read()
    assert read.match == "passage"
    assert [(q.id, q.relevant) for q in read.questions] == [
        ("q0", ("d2",)),
        ("q2", ("d1", "d3")),
    ]
    strict = BeirQuestions(path=folder, name="B", minimum_score=2).read()
    assert [(q.id, q.relevant) for q in strict.questions] == [("q2", ("d1",))]


def test_malformed(folder):
    (folder / "qrels" / "test.tsv").write_text("q0\td2\t1\nq0 d2 1\n")
    with pytest.raises(DataError, match=r"test\.tsv:2: expected query id"):
        BeirQuestions(path=folder, name="B").read()
    with pytest.raises(DataError, match=r"no qrels/dev\.tsv"):
        BeirQuestions(path=folder, name="B", split="dev").read()
