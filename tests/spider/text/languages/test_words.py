import pytest

from spider.text.languages.words import LANGUAGES


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_words_are_in_the_form_in_which_they_are_compared(name: str) -> None:
    words = LANGUAGES[name]
    for listed in words:
        for word in [listed] if isinstance(listed, str) else listed:
            assert word == word.lower()
            assert word.strip()
    # a content word that was listed would be lost
    assert not words.months & words.function_words - {"may"}
    assert words.place_prepositions
    assert len({words.person, words.place, words.time, words.number, words.thing}) == 5
