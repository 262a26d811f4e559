"""Every question format, and one line for what is wrong in it."""

import gzip
import json

import pytest

from spider.errors import ConfigError, DataError
from spider.question import Question
from spider.questions.beir import BeirQuestions
from spider.questions.curated_trec import CuratedTrec
from spider.questions.dpr_qa import DprQa, parse_answers
from spider.questions.entity_questions import EntityQuestions
from spider.questions.hugging_face import HuggingFaceQuestions
from spider.questions.jsonl import JsonLinesQuestions
from spider.questions.plain_text import PlainText
from spider.questions.question_source import QuestionSource
from spider.questions.web_questions import WebQuestions


class TestDprQa:
    def test_quoted_lists(self, tmp_path):
        path = tmp_path / "q.tsv"
        # the second list is CSV-quoted, as 1,334 of TriviaQA dev are
        path.write_text('who?\t[\'a\', "b\'s"]\nwhat?\t"[\'say ""hi""\', \'🚁\']"\n')
        read = DprQa(path=path, name="X", averaging="micro").read()
        assert read.questions == (
            Question(id="0", text="who?", answers=("a", "b's")),
            Question(id="1", text="what?", answers=('say "hi"', "🚁")),
        )
        assert (read.name, read.match) == ("X", "string")

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("q\t'abc'", "expected a list with at least one answer"),
            ("q\t[]", "at least one answer"),
            ("q\t['a', 3]", "expected a list of strings, got 3"),
            ("q\t__import__('os').getcwd()", "expected a Python list"),
            ("q\t[" + "(" * 5000, "expected a Python list"),
            ("q", "got 1 columns"),
        ],
    )
    def test_malformed_line(self, tmp_path, line, message):
        path = tmp_path / "q.tsv"
        path.write_text(f"fine\t['a']\n{line}\n")
        with pytest.raises(DataError, match=message) as caught:
            DprQa(path=path, name="X").read()
        assert (caught.value.path, caught.value.line) == (path, 2)
        assert "\n" not in str(caught.value)

    def test_parse_answers(self):
        assert parse_answers(" [\"a\", 'b'] ") == ("a", "b")


class TestEntityQuestions:
    @pytest.fixture
    def folder(self, tmp_path):
        for relation in ("P1", "P2"):
            rows = [{"question": f"{relation} q{n}?", "answers": [f"a{n}"]} for n in range(30)]
            (tmp_path / f"{relation}.dev.json").write_text(json.dumps(rows))
        return tmp_path

    def test_groups_and_whole(self, folder):
        read = EntityQuestions(path=folder, questions_per_relation=None).read()
        assert len(read.questions) == 60
        assert read.averaging == "macro"
        assert read.questions[31] == Question(id="P2-1", text="P2 q1?", answers=("a1",), group="P2")

    def test_a_larger_draw_holds_the_smaller(self, folder):
        def ids(count, seed=0):
            read = EntityQuestions(path=folder, questions_per_relation=count, seed=seed).read()
            return [question.id for question in read.questions]

        assert len(ids(5)) == 10
        assert ids(5) == ids(5)
        assert set(ids(5)) < set(ids(9))
        assert ids(5) != ids(5, seed=1)
        first = [i for i in ids(5) if i.startswith("P1")]
        (folder / "P2.dev.json").unlink()
        assert ids(5) == first

    def test_malformed(self, folder):
        (folder / "P1.dev.json").write_text('[\n{"question": "q?", "answers": "a"},\n{"que')
        with pytest.raises(DataError, match=r"P1\.dev\.json:3: not JSON"):
            EntityQuestions(path=folder).read()
        (folder / "P1.dev.json").write_text('[{"question": "q?", "answers": []}]')
        with pytest.raises(DataError, match=r"P1\.dev\.json: entry 1: expected an answer"):
            EntityQuestions(path=folder).read()
        with pytest.raises(DataError, match="one JSON file a relation"):
            EntityQuestions(path=folder / "none").read()
        with pytest.raises(ConfigError, match="at least 1"):
            EntityQuestions(path=folder, questions_per_relation=0)


class TestWebQuestions:
    def test_reads(self, tmp_path):
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
            ('[{"qId": "1", "answers": ["a"]}]', "entry 1: field 'qText': expected text"),
            ("[\n\n}", r":3: not JSON"),
        ],
    )
    def test_malformed(self, tmp_path, text, message):
        path = tmp_path / "w.json"
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            WebQuestions(path=path).read()


class TestCuratedTrec:
    def test_reads_without_quoting(self, tmp_path):
        path = tmp_path / "t.tsv"
        path.write_text('12\tfactoid\tWho painted "Sunflowers"?\t80\\s*(inch|")\n')
        read = CuratedTrec(path=path).read()
        assert read.match == "regex"
        (question,) = read.questions
        assert question.text == 'Who painted "Sunflowers"?'
        assert question.answers == ('80\\s*(inch|")',)

    @pytest.mark.parametrize(
        ("line", "message"), [("1\tf\tq\t(", "not a regular expression"), ("1\tq", "got 2 columns")]
    )
    def test_malformed(self, tmp_path, line, message):
        path = tmp_path / "t.tsv"
        path.write_text(f"0\tf\tq\ta\n{line}\n")
        with pytest.raises(DataError, match=rf"t\.tsv:2: .*{message}"):
            CuratedTrec(path=path).read()


class TestJsonLines:
    def test_reads(self, tmp_path):
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

    @pytest.mark.parametrize(
        "line", ['{"question": ""}', '{"q": 1}', '{"question": "a", "answer": [1]}', "nonsense"]
    )
    def test_malformed(self, tmp_path, line):
        path = tmp_path / "q.jsonl"
        path.write_text(f'{{"question": "a?"}}\n{line}\n')
        with pytest.raises(DataError, match=r"q\.jsonl:2: "):
            JsonLinesQuestions(path=path, name="mine").read()


def test_plain_text(tmp_path):
    path = tmp_path / "q.txt"
    path.write_text("What's the GIL?\r\n\n  Wo, warum & wann?  \n")
    source = PlainText(path=path)
    assert source.read().questions == (
        Question(id="1", text="What's the GIL?"),
        Question(id="3", text="Wo, warum & wann?"),
    )
    assert isinstance(source, QuestionSource)
    with pytest.raises(DataError, match="no such file"):
        PlainText(path=tmp_path / "none.txt").read()


class TestBeir:
    @pytest.fixture
    def folder(self, tmp_path):
        queries = [{"_id": f"q{n}", "text": f"query {n}"} for n in range(3)]
        (tmp_path / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
        (tmp_path / "qrels").mkdir()
        (tmp_path / "qrels" / "test.tsv").write_text(
            "query-id\tcorpus-id\tscore\nq2\td1\t2\nq0\td2\t1\nq2\td3\t1\nq1\td1\t0\n"
        )
        return tmp_path

    def test_judged_queries(self, folder):
        read = BeirQuestions(path=folder, name="B").read()
        assert read.match == "passage"
        assert [(q.id, q.relevant) for q in read.questions] == [
            ("q0", ("d2",)),
            ("q2", ("d1", "d3")),
        ]
        strict = BeirQuestions(path=folder, name="B", minimum_score=2).read()
        assert [(q.id, q.relevant) for q in strict.questions] == [("q2", ("d1",))]

    def test_malformed(self, folder):
        (folder / "qrels" / "test.tsv").write_text("q0\td2\t1\nq0 d2 1\n")
        with pytest.raises(DataError, match=r"test\.tsv:2: expected query id"):
            BeirQuestions(path=folder, name="B").read()
        with pytest.raises(DataError, match=r"no qrels/dev\.tsv"):
            BeirQuestions(path=folder, name="B", split="dev").read()


def test_hugging_face(tmp_path):
    datasets = pytest.importorskip("datasets")
    rows = {"question": ["a?", "b?"], "answers": [{"text": ["x", "y"]}, {"text": ["z"]}]}
    datasets.Dataset.from_dict(rows).save_to_disk(tmp_path / "saved")
    path = str(tmp_path / "saved")
    read = HuggingFaceQuestions(path=path, name="H", answer_column="answers.text").read()
    assert read.questions[0] == Question(id="0", text="a?", answers=("x", "y"))
    with pytest.raises(DataError, match="row 0: expected an answer"):
        HuggingFaceQuestions(path=path, name="H", answer_column="answers").read()
    bare = HuggingFaceQuestions(path=path, name="H", answer_column=None).read()
    assert bare.questions[1].answers == ()
