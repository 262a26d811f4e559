"""Which of the known languages a text is written in, by its function words."""

from itertools import islice

from spider.text.languages.words import LANGUAGES, LanguageWords
from spider.text.words import WORD

LEAST_SHARE = 0.15
"""Function words are 35 to 50 % of English prose and a quarter of terse documentation. Words that
two languages share ("in", "a", "de") reach a tenth of the words of a third language."""
MOST_WORDS = 400


def detect_language(text: str) -> LanguageWords | None:
    """Return the words of a text's language, or None where no known language fits.

    A text of few words, of code or of names has too few function words to tell.
    """
    words = [match.group().lower() for match in islice(WORD.finditer(text), MOST_WORDS)]
    # letters alone are variables or list marks as often as words
    words = [word for word in words if len(word) > 1 and word[0].isalpha()]
    best = max(
        LANGUAGES.values(),
        key=lambda language: sum(word in language.function_words for word in words),
    )
    known = sum(word in best.function_words for word in words)
    return best if words and known >= LEAST_SHARE * len(words) else None
