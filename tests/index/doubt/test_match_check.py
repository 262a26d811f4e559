"""What is said of a question that nothing matches; test_calibration.py has the whole way."""

from index.doubt.match_check import Match


def test_the_sentence() -> None:
    assert Match(0.5, 0.3).sentence() == Match(None, 0.3).sentence() == ""
    assert "more than 21% of what the question asks for" in Match(0.214, 0.33).sentence()
    assert "no passage has a word" in Match(0.0, 0.0).sentence()


def test_a_question_without_an_informative_word_is_not_doubted() -> None:
    assert not Match(None, 0.3).probably_none
    assert Match(0.29, 0.3).probably_none
    assert not Match(0.3, 0.3).probably_none
    assert Match(0.0, 0.0).probably_none
