import json

import pytest

from spider.errors import ConfigError, DataError
from spider.questions.beir import BeirQuestions


@pytest.fixture
def folder(tmp_path):
    queries = [{"_id": f"q{n}", "text": f"query {n}"} for n in range(3)]
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq2\td1\t2\nq0\td2\t1\nq2\td3\t1\nq2\td4\t0\nq1\td1\t0\n"
    )
    return tmp_path


def test_judged_queries(folder):
    source = BeirQuestions(path=folder, name="B")
    read = source.read()
    assert read.match == "passage"
    assert [(q.id, q.relevant) for q in read.questions] == [
        ("q0", ("d2",)),
        ("q2", ("d1", "d3")),
    ]
    assert [q.grades for q in read.questions] == [{}, {"d1": 2, "d3": 1, "d4": 0}]
    assert [q.excluded for q in read.questions] == [("q0",), ("q2",)]
    assert source.counts == {"skipped_query_without_relevant_passage": 1}
    strict = BeirQuestions(path=folder, name="B", minimum_score=2).read()
    assert [(q.id, q.relevant) for q in strict.questions] == [("q2", ("d1",))]


def judge(folder, *lines):
    (folder / "qrels" / "test.tsv").write_text("".join(f"{line}\n" for line in lines))
    return BeirQuestions(path=folder, name="B")


def test_the_own_document_is_dropped_even_where_it_is_relevant(folder):
    # BEIR's evaluate() pops it from the results and leaves the judgements as they are
    source = judge(folder, "q0\tq1\t1", "q1\tq1\t1")
    (first, second) = source.read().questions
    assert (first.excluded, second.excluded) == (("q0",), ("q1",))
    assert second.relevant == ("q1",)
    assert source.counts == {"queries_whose_own_relevant_document_is_dropped": 1}
    kept = BeirQuestions(path=folder, name="B", drop_own=False).read()
    assert [question.excluded for question in kept.questions] == [(), ()]


def test_judgements_twice(folder):
    (question,) = judge(folder, "q0\td1\t1", "q0\td1\t1.0").read().questions
    assert question.relevant == ("d1",)
    with pytest.raises(DataError, match=r"test\.tsv:3: passage 'd1' of .* 2, and 1 in line 1"):
        judge(folder, "q0\td1\t1", "q1\td1\t2", "q0\td1\t2").read()


def test_a_judged_query_that_the_file_lacks_is_counted(folder):
    source = judge(folder, "q0\td1\t1", "q9\td1\t1")
    assert len(source.read().questions) == 1
    assert source.counts == {"skipped_query_not_in_file": 1}


def test_a_blank_query_is_refused_by_its_line(folder):
    (folder / "queries.jsonl").write_text(
        '{"_id": "q0", "text": "a"}\n{"_id": "q1", "text": null}\n'
    )
    with pytest.raises(DataError, match=r"queries\.jsonl:2: field 'text': expected text, got null"):
        judge(folder, "q1\td1\t1").read()
    with pytest.raises(ConfigError, match="match: got 'string', expected passage"):
        BeirQuestions(path=folder, name="B", match="string")


def test_malformed(folder):
    for score in ("9" * 400, "1e3", "0.5", "", "-"):
        with pytest.raises(DataError, match=r"test\.tsv:1: expected query id"):
            judge(folder, f"q0\td2\t{score}").read()
    (folder / "qrels" / "test.tsv").write_text("q0\td2\t1\nq0 d2 1\n")
    with pytest.raises(DataError, match=r"test\.tsv:2: expected query id"):
        BeirQuestions(path=folder, name="B").read()
    with pytest.raises(DataError, match=r"no qrels/dev\.tsv in this folder; there are: test$"):
        BeirQuestions(path=folder, name="B", split="dev").read()


@pytest.mark.parametrize(
    ("lines", "settings", "said"),
    [
        (["q0\td1\t0", "q1\td1\t0"], {}, "score of 1 or more; the highest is 0.*split=NAME"),
        (["q0\td1\t-1", "q1\td1\t-2"], {}, "the highest is -1, so no query .*split=NAME"),
        (["q0\td1\t2"], {"minimum_score": 3}, "of 3 or more; the highest is 2.*minimum_score=2"),
        (["a\td1\t1"], {}, "none of its 1 query is in queries.jsonl"),
        (["a\td1\t1", "b\td1\t0"], {}, "none of its 2 queries is .*such as 'a'"),
    ],
)
def test_judgements_without_a_relevant_passage_say_so(folder, lines, settings, said):
    judge(folder, *lines)
    with pytest.raises(DataError, match=rf"qrels/test\.tsv: .*{said}"):
        BeirQuestions(path=folder, name="B", **settings).read()
