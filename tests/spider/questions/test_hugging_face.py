import pyarrow as pa
import pytest
from pyarrow import parquet

from spider.errors import DataError
from spider.question import Question
from spider.questions.hugging_face import HuggingFaceQuestions


def test_hugging_face(tmp_path):
    datasets = pytest.importorskip("datasets")
    rows = {"question": ["a?", "b?"], "answers": [{"text": ["x", "y"]}, {"text": ["z"]}]}
    datasets.Dataset.from_dict(rows).save_to_disk(tmp_path / "saved")
    path = str(tmp_path / "saved")
    read = HuggingFaceQuestions(path=path, name="H", answer_column="answers.text").read()
    assert read.questions[0] == Question(id="0", text="a?", answers=("x", "y"))
    with pytest.raises(DataError, match=r"row 0: expected an answer.*answers\.text"):
        HuggingFaceQuestions(path=path, name="H", answer_column="answers").read()
    bare = HuggingFaceQuestions(path=path, name="H", answer_column=None).read()
    assert bare.questions[1].answers == ()


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_a_question_without_text_is_refused_by_its_row(tmp_path, text):
    pytest.importorskip("datasets")
    rows = {"question": ["who led?", text], "answer": [["Orlan"], []]}
    parquet.write_table(pa.table(rows), tmp_path / "q.parquet")
    with pytest.raises(DataError, match="row 1: field 'question': expected text, got"):
        HuggingFaceQuestions(path=str(tmp_path / "q.parquet"), name="H").read()


def test_ids_and_passages(tmp_path):
    pytest.importorskip("datasets")
    rows = {"id": [7, 7], "question": ["who?", "what?"], "answer": [[1], []]}
    parquet.write_table(pa.table(rows), tmp_path / "q.parquet")
    settings = {"path": str(tmp_path / "q.parquet"), "name": "H", "match": "passage"}
    source = HuggingFaceQuestions(**settings)
    assert [question.relevant for question in source.read().questions] == [("1",), ()]
    assert source.counts == {"questions_without_answers": 1}
    with pytest.raises(DataError, match="'7' occurs in row 0 and in row 1"):
        HuggingFaceQuestions(**settings, id_column="id").read()
    assert (
        len(HuggingFaceQuestions(**settings, id_column="id", keep_first=True).read().questions) == 1
    )
