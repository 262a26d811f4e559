"""Pseudo-questions from sentences: the span becomes a question word, which comes first.

"The bridge was opened by Queen Victoria in 1849." with the span "Queen Victoria" becomes
"who the bridge was opened by in 1849". Word order and verb forms stay: retrievers and readers see
the words of a question, not its grammar. Source of the idea: Lewis et al. 2019, *Unsupervised
Question Answering by Cloze Translation*, section 2.3 ("noisy cloze", which was nearly as good as
translated questions), with rules of our own.
"""

from typing import NamedTuple

import regex

from spider.text.cloze.sentences import clause_around, sentence_around
from spider.text.cloze.span_kinds import Kind, span_kind
from spider.text.languages.words import LanguageWords

_BLANK = regex.compile(r"\s+")
_EDGES = " \t\r\n,;:.!?–—-*•>\"'“”‘’`()[]{}"
_WORD = regex.compile(r"\S+")
_LEAST_WORDS = 2


class ClozeQuestion(NamedTuple):
    """A question made of a sentence, and what it asks for."""

    text: str
    kind: Kind


def cloze_question(
    text: str, span: tuple[int, int], language: LanguageWords
) -> ClozeQuestion | None:
    """Make a question whose answer is a span of a text.

    Args:
        text: sentences around the span.
        span: its half-open range of code points.
        language: the words of the text's language.

    Returns:
        None where fewer than two words are left beside the span.
    """
    kind = span_kind(text, span, language)
    first, last = clause_around(text, sentence_around(text, span), span)
    before = _plain(text[first : span[0]])
    after = _plain(text[span[1] : last])
    before = _without_preposition(before, kind, language)
    before = _lower_first(before, language)
    rest = f"{before} {after}".strip(_EDGES)
    if len(_WORD.findall(rest)) < _LEAST_WORDS:
        return None
    return ClozeQuestion(f"{question_word(kind, language)} {rest}?", kind)


def question_word(kind: Kind, language: LanguageWords) -> str:
    """Return the words that ask for something of a kind."""
    words: str = getattr(language, kind)
    return words


def _plain(part: str) -> str:
    plain: str = _BLANK.sub(" ", part)
    return plain.strip(_EDGES)


def _without_preposition(before: str, kind: Kind, language: LanguageWords) -> str:
    """Drop the preposition that "where" and "when" contain."""
    head, _, last = before.rpartition(" ")
    dropped = {"place": language.place_prepositions, "time": language.time_prepositions}
    return head if last.lower() in dropped.get(kind, ()) else before


def _lower_first(before: str, language: LanguageWords) -> str:
    """Lower the first word of a sentence where it is no name."""
    first, blank, rest = before.partition(" ")
    return f"{first.lower()}{blank}{rest}" if first.lower() in language.function_words else before
