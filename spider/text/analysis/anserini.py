"""The terms of Anserini's English analyzer (Lucene's), in Python, for a machine without a JVM.

The chain of Anserini's DefaultEnglishAnalyzer: Unicode word segmentation (UAX #29, as Lucene's
StandardTokenizer reads it), possessive 's stripped, lower case, Lucene's 33 stop words dropped,
Porter stemmer. Published BM25 scores depend on it, so it must not change. A test compares it
with Lucene's own. One difference is known: an emoji is a term in Lucene and not here.
"""

import functools

import regex
import Stemmer

from spider.text.stop_words import LUCENE

MAXIMUM_TOKEN = 255
STEM_CACHE = 1 << 20

_TAIL = r"[\p{WB=Format}\p{WB=Extend}\p{WB=ZWJ}]*"
_LETTER = rf"[\p{{WB=ALetter}}\p{{WB=Hebrew_Letter}}]{_TAIL}"
_DIGIT = rf"[\p{{WB=Numeric}}\uFF10-\uFF19]{_TAIL}"
_IN_WORD = rf"[\p{{WB=MidLetter}}\p{{WB=MidNumLet}}\p{{WB=Single_Quote}}]{_TAIL}(?={_LETTER})"
_IN_NUMBER = rf"[\p{{WB=MidNum}}\p{{WB=MidNumLet}}\p{{WB=Single_Quote}}]{_TAIL}(?={_DIGIT})"
_JOINER = rf"\p{{WB=ExtendNumLet}}{_TAIL}"
_KATAKANA = rf"(?:\p{{WB=Katakana}}{_TAIL})+"
_WORD = rf"(?:(?:{_LETTER})+(?:{_IN_WORD})?|(?:{_DIGIT})+(?:{_IN_NUMBER})?)+"
_TOKEN = regex.compile(
    rf"(?:{_JOINER})*+(?:{_WORD}|{_KATAKANA})(?:(?:{_JOINER})+(?:{_WORD}|{_KATAKANA}))*(?:{_JOINER})*"
    # a row of underscores without a word is passed over at once, not from each of its signs
    rf"|(?:\p{{WB=ExtendNumLet}}(?:(?!\p{{LB=SA}}){_TAIL[:-1]})*+)++(*SKIP)(*FAIL)"
    rf"|\p{{LB=SA}}+|[\p{{Script=Han}}\p{{Script=Hiragana}}]{_TAIL}"
)
_ASCII_TOKEN = regex.compile(
    r"_*(?:(?:[A-Za-z]+(?:[.:'](?=[A-Za-z]))?|[0-9]+(?:[.,;'](?=[0-9]))?)+_*)+"
)
_POSSESSIVE = ("'s", "’s", "＇s")
# Porter's "m > 0"; y is a vowel after a consonant
_MEASURED = regex.compile(r"(?:[aeiou]|(?<=[^aeiou])y)[^aeiou]")
_PORTER = Stemmer.Stemmer("porter")


def analyze(text: str) -> list[str]:
    """Return the terms of a text, in order, with repetitions.

    Source: Lucene 9 StandardTokenizer, EnglishPossessiveFilter, LowerCaseFilter, StopFilter and
    PorterStemFilter, in the order of Anserini's DefaultEnglishAnalyzer.
    """
    pattern = _ASCII_TOKEN if text.isascii() else _TOKEN
    terms: list[str] = []
    for token in pattern.findall(text):
        pieces = [token] if len(token) <= MAXIMUM_TOKEN else _cut(token)
        terms.extend(term for piece in pieces if (term := _term(piece)))
    return terms


@functools.lru_cache(maxsize=STEM_CACHE)
def _term(token: str) -> str:
    """Return the term of a token; empty for a stop word."""
    lowered = _lower(token)
    if lowered.endswith(_POSSESSIVE):
        lowered = lowered[:-2]
    return "" if lowered in LUCENE else stem(lowered)


def stem(word: str) -> str:
    """Stem like Lucene's PorterStemmer, which differs from Porter's paper in three points.

    Words of one or two letters stay; -bli becomes -ble (not only -abli, -able), and -logi
    becomes -log, both where a vowel and a consonant come before.
    """
    if len(word) <= 2:
        return word
    stem: str = _PORTER.stemWord(word)
    if stem.endswith("bli") and _MEASURED.search(stem[:-3]):
        return str(_PORTER.stemWord(stem[:-1] + "e"))
    if stem.endswith("logi") and _MEASURED.search(stem[:-4]):
        return str(_PORTER.stemWord(stem[:-1]))
    return stem


def _lower(token: str) -> str:
    """Lower each character by itself, as Java does; "İ" becomes "i", not two code points."""
    if token.isascii():
        return token.lower()
    return "".join(character.lower()[0] for character in token)


def _cut(token: str) -> list[str]:
    """Cut an overlong token as Lucene does, every 255 characters."""
    return [token[start : start + MAXIMUM_TOKEN] for start in range(0, len(token), MAXIMUM_TOKEN)]
