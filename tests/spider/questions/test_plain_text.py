import pytest

from spider.errors import DataError
from spider.question import Question
from spider.questions.plain_text import PlainText
from spider.questions.question_source import QuestionSource


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
