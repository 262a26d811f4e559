"""The terms of the ``folded`` analyzer: what a person would call the same word is one term.

The chain: Unicode forms (NFKC), invisible characters removed, one apostrophe, digits and grouped
numbers in one form, Unicode word segmentation (UAX #29), possessive and elided article stripped,
case folded, Lucene's stop words dropped, diacritics stripped, Porter stemmer. Text that is written
without spaces gives its neighbouring pairs of characters, as in Lucene's CJKAnalyzer, and its Han
and Hangul characters one by one, so that a word of one character is found too.

Documents and questions pass through the same function, for Lucene as well as for bm25s. Published
BM25 scores use :mod:`spider.text.analysis.anserini` instead.

Not equal to each other: traditional and simplified Chinese, "ü" and "ue", words of one language and
their transliterations.
"""

import functools
import itertools

import regex

from spider.text.analysis.anserini import STEM_CACHE, stem
from spider.text.folding import fold_case, strip_diacritics, unify_forms
from spider.text.stop_words import LUCENE

MAXIMUM_TOKEN = 127
"""Code points of a term. Lucene cuts terms at 255 UTF-16 units, of which a code point takes two."""
LONGEST_REMEMBERED = 64
"""Code points of a chunk whose terms are remembered: URLs and longer rows seldom occur again."""

_SPACES = regex.compile(r"[ \t\n\v\f\r]+")
_TAIL = r"\p{M}*"
_LETTER = rf"[[\p{{WB=ALetter}}\p{{WB=Hebrew_Letter}}]--[\p{{Script=Hangul}}]]{_TAIL}"
_WORD = rf"(?:(?:{_LETTER})+(?:[.:·'](?={_LETTER}))?|(?:[0-9]{_TAIL})+(?:[.,;'](?=[0-9]))?)+"
_PAIRED = r"\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}〆ー"
_TOKEN = regex.compile(
    rf"(?P<pairs>(?:[{_PAIRED}]{_TAIL})+|(?:[\p{{LB=SA}}]{_TAIL})+)"
    rf"|_*+(?:{_WORD}_*)+"
    # a row of underscores without a word is passed over at once, not from each of its signs
    r"|_++(*SKIP)(*FAIL)"
    r"|\p{Regional_Indicator}{2}|[\p{Emoji_Presentation}]",
    regex.VERSION1,
)
_ASCII_TOKEN = regex.compile(
    r"_*(?:(?:[A-Za-z]+(?:[.:'](?=[A-Za-z]))?|[0-9]+(?:[.,;'](?=[0-9]))?)+_*)+"
)
_CLUSTER = regex.compile(rf"\P{{M}}{_TAIL}|\p{{M}}+")
_ALONE = regex.compile(r"[\p{Script=Han}\p{Script=Hangul}]", regex.VERSION1)
# a word that a line end cuts: its whole is a further term, since the hyphen may belong to it
_LINE_END = regex.compile(r"[-\u2010\u2011][^\S\n]*+\n")
_CUT_WORD = regex.compile(
    r"(?<![\p{L}\p{M}])(\p{L}[\p{L}\p{M}]++)[-\u2010][ \t]*+\r?\n[ \t]*+(\p{Ll}[\p{L}\p{M}]++)"
)
# the articles of Lucene's FrenchAnalyzer and the Italian ones of its ItalianAnalyzer
_ELIDED = regex.compile(
    r"(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|d?all|nell|sull|dell|coll|un)'(?=\p{L}{2})"
)
# "we'll" would otherwise become "well"
_CONTRACTED = ("'ll", "'re", "'ve", "'d", "'m", "n't")
_ARABIC = regex.compile(r"\p{Script=Arabic}", regex.VERSION1)
# the prefixes of Lucene's ArabicStemmer that hold the article
_ARABIC_ARTICLES = ("وال", "بال", "كال", "فال", "لل", "ال")
_SHORTEST_ARABIC = 2


def analyze(text: str) -> list[str]:
    """Return the terms of a text, in order, with repetitions.

    No term crosses ASCII white space, so the terms of a text are those of its chunks, and most
    chunks occurred before: this takes a tenth of the time.
    """
    terms: list[str] = []
    for chunk in text.split() if text.isascii() else _SPACES.split(text):
        terms.extend(
            _remembered(chunk) if len(chunk) <= LONGEST_REMEMBERED else analyze_chunk(chunk)
        )
    if "\n" in text and _LINE_END.search(text):
        for first, second in _CUT_WORD.findall(unify_forms(text)):
            terms.extend(_terms(first + second))
    return terms


def analyze_chunk(chunk: str) -> tuple[str, ...]:
    """Return the terms of a text of which no word is cut at a line's end."""
    unified = unify_forms(chunk)
    if unified.isascii():
        return tuple(t for token in _ASCII_TOKEN.findall(unified) for t in _terms(token))
    terms: list[str] = []
    for match in _TOKEN.finditer(unified):
        pairs = match.group("pairs")
        terms.extend(_terms(match.group()) if pairs is None else _pairs(pairs))
    return tuple(terms)


_remembered = functools.lru_cache(maxsize=STEM_CACHE)(analyze_chunk)


@functools.lru_cache(maxsize=STEM_CACHE)
def _terms(token: str) -> tuple[str, ...]:
    """Return the terms of a token: none for a stop word, several for an overlong token."""
    if len(token) > MAXIMUM_TOKEN:
        starts = range(0, len(token), MAXIMUM_TOKEN)
        return tuple(t for start in starts for t in _terms(token[start : start + MAXIMUM_TOKEN]))
    folded = fold_case(token)
    folded = folded.removesuffix("'s")
    folded = _ELIDED.sub("", folded, count=1) if _ELIDED.match(folded) else folded
    if folded in LUCENE:
        return ()
    folded = strip_diacritics(folded)
    if not folded.endswith(_CONTRACTED):
        folded = folded.replace("'", "")
    if not folded.isascii() and _ARABIC.match(folded):
        folded = _without_article(folded)
    return (stem(folded),) if folded else ()


def _without_article(word: str) -> str:
    for article in _ARABIC_ARTICLES:
        if word.startswith(article) and len(word) - len(article) >= _SHORTEST_ARABIC:
            return word[len(article) :]
    return word


def _pairs(run: str) -> list[str]:
    """Return the pairs of neighbouring characters of a run, and its Han and Hangul characters."""
    characters = [strip_diacritics(fold_case(cluster)) for cluster in _CLUSTER.findall(run)]
    pairs = [first + second for first, second in itertools.pairwise(characters)]
    if len(characters) == 1:
        return characters
    return [*(c for c in characters if _ALONE.match(c)), *pairs]
