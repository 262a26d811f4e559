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
    assert source.counts == {"questions_without_answers": 2}
    with pytest.raises(DataError, match="no such file"):
        PlainText(path=tmp_path / "none.txt").read()


def test_topics(tmp_path):
    path = tmp_path / "topics.tsv"
    path.write_text("301\tinternational crime\n\nq2\t what is  it \n")
    source = PlainText(path=path)
    assert [(q.id, q.text) for q in source.read().questions] == [
        ("301", "international crime"),
        ("q2", "what is  it"),
    ]
    assert source.counts["topics"] == 2
    path.write_text("1\ta\n1\tb\n")
    with pytest.raises(DataError, match="'1' occurs in line 1 and in line 2"):
        PlainText(path=path).read()
    assert len(PlainText(path=path, keep_first=True).read().questions) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("who led?\t['Orlan']\n", 1),
        ("1\twho led?\n2 who built?\n", 2),
        ("who led?\nwho built?\tAsru\n", 2),
        ("1\twho led?\tOrlan\n", 1),
        ("1\twho\n2\t \n", 2),
        ("q1\t\n", 1),
        ("who led?\nq1\t\n", 2),
        ("who?\tNone\n", 1),
    ],
)
def test_other_tables_are_refused(tmp_path, text, line):
    path = tmp_path / "q.tsv"
    path.write_text(text)
    with pytest.raises(DataError, match=rf"q\.tsv:{line}: expected .*question_set=dpr_qa"):
        PlainText(path=path).read()


def test_an_indented_question_is_no_topic(tmp_path):
    path = tmp_path / "q.txt"
    path.write_text("\twho led?\nwho built?\t\n")
    assert [q.text for q in PlainText(path=path).read().questions] == ["who led?", "who built?"]
