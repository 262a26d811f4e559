from spider.sources.extraction.extracted import Extracted, NotExtractedError


def test_title_then_text() -> None:
    title, text = Extracted("T", "words")
    assert (title, text) == ("T", "words")


def test_the_reason_is_the_message_and_the_hint_is_apart() -> None:
    error = NotExtractedError("not_utf8", hint="convert the file")
    assert (str(error), error.reason, error.hint) == ("not_utf8", "not_utf8", "convert the file")
    assert NotExtractedError("binary").hint == ""
