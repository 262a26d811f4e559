import pytest

from spider.errors import DataError
from spider.question import Question
from spider.questions.dpr_qa import DprQa, parse_answers


def test_quoted_lists(tmp_path):
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
        ("q\t'abc'", "expected a list of answers"),
        (" \t['a']", "blank question"),
        ("q\t['a', 3]", "expected a list of strings, got 3"),
        ("q\t__import__('os').getcwd()", "expected a Python list"),
        ("q\t[" + "(" * 5000, "expected a Python list"),
        ("q", "expected 2 fields separated by tabs, got 1"),
    ],
)
def test_malformed_line(tmp_path, line, message):
    path = tmp_path / "q.tsv"
    path.write_text(f"fine\t['a']\n{line}\n")
    with pytest.raises(DataError, match=message) as caught:
        DprQa(path=path, name="X").read()
    assert (caught.value.path, caught.value.line) == (path, 2)
    assert "\n" not in str(caught.value)


def test_parse_answers():
    assert parse_answers(" [\"a\", 'b'] ") == ("a", "b")
    assert parse_answers("[]") == ()


def test_marks_of_the_text_stay(tmp_path):
    path = tmp_path / "q.tsv"
    texts = ["who?", '"Nora" is whose heroine', '"The wild duck', 'sang "Solveig', 'froze" in']
    answers = ["['Ibsen']", '["A Doll\'s House"]', "['a']", "['b']", "[]"]
    path.write_text("".join(f"{q}\t{a}\n" for q, a in zip(texts, answers, strict=True)))
    source = DprQa(path=path, name="X")
    assert [question.text for question in source.read().questions] == texts
    assert source.read().questions[1].answers == ("A Doll's House",)
    assert source.counts == {"questions_without_answers": 1}
    with pytest.raises(DataError, match=r"q\.tsv:2: a field opens"):
        DprQa(path=path, name="X", quoted=True).read()
