import pytest

from spider.errors import ConfigError
from spider.questions.transforms.content_words import ContentWords
from spider.questions.transforms.passage_query import PassageQuery
from tests.spider.questions.transforms.span_passages import of, query


def test_content_words_are_the_nearest_ones_in_their_order() -> None:
    made = query(ContentWords(minimum=4, maximum=4), of())
    assert made == PassageQuery("river opened spring 1849", False, "content_words")
    assert query(ContentWords(minimum=99, maximum=99), of()).text == (
        "old stone bridge wide river opened spring 1849"
    )


def test_content_words_in_a_language_without_a_list_are_all_words() -> None:
    made = query(ContentWords(minimum=9, maximum=9), of("Старый мост над рекой", "мост над"))
    assert made.text == "Старый рекой"


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="minimum"):
        ContentWords(minimum=3, maximum=2)
