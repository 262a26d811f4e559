import pytest

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
    with pytest.raises(DataError, match="row 0: expected an answer"):
        HuggingFaceQuestions(path=path, name="H", answer_column="answers").read()
    bare = HuggingFaceQuestions(path=path, name="H", answer_column=None).read()
    assert bare.questions[1].answers == ()
