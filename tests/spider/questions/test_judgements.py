import pytest

from spider.errors import DataError
from spider.question import Question, QuestionSet
from spider.questions.judgements import check_judgements, excluded_positions, named_positions

DOCUMENTS = [("A", ["one", "two"]), ("B", ["three"])]


def test_a_passage_id_names_itself_and_a_document_id_all_its_passages(make_corpus) -> None:
    corpus = make_corpus(DOCUMENTS)
    assert list(named_positions(corpus, "d0#1")) == [1]
    assert list(named_positions(corpus, "d0")) == [0, 1]
    assert list(named_positions(corpus, "d1")) == [2]
    assert list(named_positions(corpus, "d9")) == list(named_positions(corpus, "")) == []


def test_a_name_of_both_is_the_passage(make_corpus, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = make_corpus(DOCUMENTS)
    monkeypatch.setattr(corpus, "find_passage", {"d0": 0}.get)
    assert list(named_positions(corpus, "d0")) == [0]


def test_excluded_positions(make_corpus) -> None:
    questions = [
        Question(id="a", text="?", excluded=("d0", "d0#1", "nowhere")),
        Question(id="b", text="?"),
    ]
    assert excluded_positions(questions, make_corpus(DOCUMENTS)) == [[0, 1], []]


def test_judgements_of_another_corpus_are_refused(make_corpus) -> None:
    corpus = make_corpus(DOCUMENTS)

    def check(*relevant: str) -> None:
        questions = tuple(
            Question(id=f"q{n}", text="?", relevant=(name,)) for n, name in enumerate(relevant)
        )
        check_judgements(QuestionSet(name="s", questions=questions, match="passage"), corpus)

    check()
    check("x", "d1")
    with pytest.raises(DataError, match="question 'q0' names 'x', and the corpus has neither"):
        check("x", "y")
