"""The content words around a recurring span."""

from typing import NamedTuple

from spider.questions.transforms.passage_query import SpanPassage
from spider.text.languages.detection import detect_language
from spider.text.words import WORD, word_key


class PlacedWord(NamedTuple):
    """A word of a passage.

    Attributes:
        text: as it is written.
        start: its first code point.
        distance: code points between it and the chosen occurrence of the span.
    """

    text: str
    start: int
    distance: int


def content_words(passage: SpanPassage) -> list[PlacedWord]:
    """Return a passage's content words that are not in the span, each once, nearest first kept."""
    language = detect_language(passage.text)
    left_out = set(language.function_words) if language else set()
    first, last = passage.occurrences[passage.chosen]
    span = WORD.findall(passage.text, first, last)
    left_out.update(map(word_key, span))
    found: dict[str, PlacedWord] = {}
    for match in WORD.finditer(passage.text):
        key = word_key(match.group())
        # one letter is a word only in a script without spaces
        is_word = any(map(str.isalnum, key)) and (len(key) > 1 or not key.isascii())
        if key in left_out or not is_word:
            continue
        distance = max(first - match.end(), match.start() - last, 0)
        if key not in found or distance < found[key].distance:
            found[key] = PlacedWord(match.group(), match.start(), distance)
    return sorted(found.values())
