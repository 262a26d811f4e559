"""Cloze questions: the sentence of the span, with a question word in place of the span."""

from typing import Literal, get_args

import numpy as np

from spider.errors import SettingError
from spider.questions.transforms.content_words import ContentWords
from spider.questions.transforms.passage_query import PassageQuery, SpanPassage
from spider.text.cloze.questions import cloze_question
from spider.text.languages.detection import detect_language
from spider.text.words import WORD, word_key

Titled = Literal["never", "missing"]


class Cloze:
    """A pseudo-question by rules (:mod:`spider.text.cloze.questions`).

    In a language without rules, the query is the content words around the removed span.

    Args:
        title: ``missing`` puts the document's title before a question that has no word of it, as
            a person names what they ask about; ``never`` does not.

    Raises:
        ConfigError: ``title`` is neither.
    """

    def __init__(self, *, title: Titled = "never"):
        if title not in get_args(Titled):
            raise SettingError("title", title, f"one of {get_args(Titled)}")
        self.title = title
        self._elsewhere = ContentWords()

    def span_query(self, passage: SpanPassage, rng: np.random.Generator) -> PassageQuery | None:
        """Make the question; None where the sentence has too few words besides the span."""
        language = detect_language(passage.text)
        if language is None:
            return self._elsewhere.span_query(passage, rng)
        made = cloze_question(passage.text, passage.occurrences[passage.chosen], language)
        if made is None:
            return None
        text = made.text
        if self.title == "missing" and passage.title and not _shared(passage.title, text):
            text = f"{passage.title} {text}"
        return PassageQuery(text, False, "cloze")


def _shared(title: str, text: str) -> bool:
    """Return whether the texts have a word of more than three letters in common."""
    words = {word_key(word) for word in WORD.findall(title)}
    return any(len(word) > 3 and word_key(word) in words for word in WORD.findall(text))
