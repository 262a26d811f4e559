from spider.text.stop_words import LUCENE, NOT_HIGHLIGHTED, SPLINTER


def test_splinters_list_is_the_released_one() -> None:
    assert len(SPLINTER) == 130
    assert {"ourselves", "would", "s", "t", "don"} <= SPLINTER
    assert "said" not in SPLINTER


def test_lucenes_list_is_that_of_its_english_analyzer() -> None:
    assert len(LUCENE) == 33
    assert {"into", "such", "will"} <= LUCENE
    # Lucene keeps pronouns and "from", which other English lists drop
    assert not {"he", "she", "you", "from"} & LUCENE


def test_the_display_list_leaves_telling_words() -> None:
    assert {"what", "does", "whose"} <= NOT_HIGHLIGHTED
    assert not {"about", "before", "over"} & NOT_HIGHLIGHTED
    assert {"about", "before", "over"} <= SPLINTER
    assert all(len(word) >= 3 and word.islower() for word in NOT_HIGHLIGHTED)
