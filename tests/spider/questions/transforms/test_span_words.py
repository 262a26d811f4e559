from spider.questions.transforms.passage_query import SpanPassage
from spider.questions.transforms.span_words import content_words


def test_words_once_with_their_distance_from_the_span() -> None:
    text = "the Lock is free. A data race over the lock 数"
    start = text.index("data")
    passage = SpanPassage("", text, [(start, start + 9)], 0, len, ())
    found = [(word.text, word.distance) for word in content_words(passage)]
    # the nearer "lock" is kept; one letter is a word only in a script without spaces
    assert found == [("free", 4), ("lock", 10), ("数", 15)]
