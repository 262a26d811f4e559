import pytest

from spider.sources.extraction.extracted import Extracted, NotExtractedError, damaged


def test_title_then_text() -> None:
    title, text, encoding = Extracted("T", "words")
    assert (title, text, encoding) == ("T", "words", "")


def test_the_reason_is_the_message_and_the_hint_is_apart() -> None:
    error = NotExtractedError("not_utf8", hint="convert the file")
    assert (str(error), error.reason, error.hint) == ("not_utf8", "not_utf8", "convert the file")
    assert NotExtractedError("binary").hint == ""


def test_what_a_parser_raises_is_damage_but_a_lack_of_memory_is_not() -> None:
    error = damaged("pdf", KeyError("a\n" * 500))
    assert error.reason == "damaged_pdf"
    assert error.hint.startswith("KeyError: ")
    assert len(error.hint) <= 200
    assert "\n" not in error.hint
    with pytest.raises(MemoryError):
        damaged("pdf", MemoryError())
