import pytest

from spider.errors import DataError
from spider.questions.curated_trec import CuratedTrec


def test_reads_without_quoting(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text('12\tfactoid\tWho painted "Sunflowers"?\t80\\s*(inch|")\n')
    read = CuratedTrec(path=path).read()
    assert read.match == "regex"
    (question,) = read.questions
    assert question.text == 'Who painted "Sunflowers"?'
    assert question.answers == ('80\\s*(inch|")',)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1\tf\tq\t(", "not a regular expression"),
        ("1\tq", "expected 4 fields separated by tabs, got 2"),
        ("1\tf\tq\t" + "(" * 5000 + ")" * 5000, "nested too deeply"),
        ("1\tf\tq\t" + "a" * 30_000, "more than 20000 characters"),
    ],
)
def test_malformed(tmp_path, line, message):
    path = tmp_path / "t.tsv"
    path.write_text(f"0\tf\tq\ta\n{line}\n")
    with pytest.raises(DataError, match=rf"t\.tsv:2: .*{message}"):
        CuratedTrec(path=path).read()
