import pytest

from spider.errors import DataError
from spider.question import Question
from spider.questions.jsonl import JsonLinesQuestions


def test_reads(tmp_path):
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
def test_malformed(tmp_path, line):
    path = tmp_path / "q.jsonl"
    path.write_text(f'{{"question": "a?"}}\n{line}\n')
    with pytest.raises(DataError, match=r"q\.jsonl:2: "):
        JsonLinesQuestions(path=path, name="mine").read()
