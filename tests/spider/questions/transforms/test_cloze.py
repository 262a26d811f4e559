from spider.questions.transforms.cloze import Cloze
from spider.questions.transforms.passage_query import PassageQuery
from tests.spider.questions.transforms.span_passages import of, query


def test_a_cloze_question_names_its_document_where_asked() -> None:
    question = "who the old stone bridge over the wide river was opened by in the spring of 1849?"
    assert query(Cloze(), of(title="York")) == PassageQuery(question, False, "cloze")
    assert query(Cloze(title="missing"), of(title="York")).text == f"York {question}"
    assert query(Cloze(title="missing"), of(title="A bridge")).text == question


def test_a_language_without_rules_gets_content_words() -> None:
    made = query(Cloze(), of("Старый мост над рекой", "мост над"))
    assert made == PassageQuery("Старый рекой", False, "content_words")
