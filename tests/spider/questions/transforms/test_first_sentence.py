from spider.questions.transforms.first_sentence import FirstSentence
from spider.questions.transforms.passage_query import DocumentQuery


def test_the_first_sentence_asks_for_the_rest() -> None:
    found = FirstSentence().document_queries("Ada", ["Ada wrote a program. It ran.", "b", "c"])
    assert found == [DocumentQuery("Ada wrote a program.", (0,), (1, 2), "first_sentence")]
    assert FirstSentence().document_queries("Ada", ["Alone."]) == []
