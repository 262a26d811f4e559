r"""The definitions of a word; each stage uses one of them by name.

:data:`WORD` finds the words of recurring spans. A match is one of these:

* a run that begins with a letter, number or connector (``_``) and continues with these, with marks
  and with format characters (the joiners of Persian and Indic scripts);
* an apostrophe and such a run, right after a word ("Aaron" + "'s", "don" + "'t");
* each letter of a script that is written without spaces (Han, kana, Thai, Lao, Khmer, Myanmar)
  with its marks: a span of such a text is two to ten characters;
* any other character that is not white space, one by one.

A token is *plain* when it is all letters (and their marks) or all decimal digits (:data:`PLAIN`),
and no part of a longer number (:data:`NUMBER_PART`): only such tokens may be part of a span. So
"000 members" is no span of "1,000 members". The number itself is none either: spaCy, with which
Spider's released code finds words, takes it as one word that is not all digits.

:data:`BLANK_SEPARATED` counts the words of a passage. DPR cuts at white space, so 100 words
are 100 such runs, with their punctuation. Where a text has no spaces, the words of a passage are
those of :mod:`spider.text.passage_words`.

:data:`WORD_CHARACTERS` finds the words to highlight in a passage that a person reads. It keeps no
punctuation, because a mark around "lock." should end before the full stop.

The words of published evaluations and engines are in :mod:`spider.text.dpr_tokens` and
:mod:`spider.text.analysis.anserini`.
"""

import re

import regex

from spider.text.folding import lower_each

SOUTH_EAST_ASIAN = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
)
HAN_AND_KANA = (
    (0x3005, 0x3007),  # Han iteration marks
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # Katakana extensions
    (0x3400, 0x4DBF),  # Han
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),  # half-width Katakana
    (0x20000, 0x323AF),
)
UNSPACED = (*SOUTH_EAST_ASIAN, *HAN_AND_KANA)
"""The scripts that are written without spaces between words."""


def character_class(ranges: tuple[tuple[int, int], ...]) -> str:
    """Return the inside of a pattern's character class of these code points."""
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


_RANGES = character_class(UNSPACED)
_LETTERS = rf"[\p{{L}}--[{_RANGES}]]"
_BEGIN = rf"[{_LETTERS}\p{{N}}\p{{Pc}}]"
_WITHIN = rf"[{_LETTERS}\p{{M}}\p{{N}}\p{{Pc}}\p{{Cf}}]"
_ONE_BY_ONE = rf"[\p{{L}}&&[{_RANGES}]]"
WORD = regex.compile(
    rf"{_ONE_BY_ONE}[\p{{M}}\p{{Cf}}]*"
    rf"|(?:(?<=[\p{{L}}\p{{M}}\p{{N}}\p{{Pc}}\p{{Cf}}])['’])?{_BEGIN}{_WITHIN}*"
    r"|\S",
    regex.VERSION1,
)
PLAIN = regex.compile(r"\p{L}[\p{L}\p{M}\p{Cf}]*|\p{Nd}+", regex.VERSION1)
NUMBER_SEPARATORS = ".,'’:/·٫٬．，"
GROUP_BLANKS = " \u00a0\u2009\u202f"
_SEPARATOR = rf"[{NUMBER_SEPARATORS}]"
_GROUP = r"\p{Nd}{3}(?!\p{Nd})"
NUMBER_PART = regex.compile(
    rf"(?<=\p{{Nd}}{_SEPARATOR}|(?:^|\s)[.٫])\p{{Nd}}+|\p{{Nd}}+(?={_SEPARATOR}\p{{Nd}})"
    rf"|(?<=(?<!\p{{Nd}})\p{{Nd}}{{1,3}}[{GROUP_BLANKS}]){_GROUP}"
    rf"|(?<!\p{{Nd}})\p{{Nd}}{{1,3}}(?=[{GROUP_BLANKS}]{_GROUP})",
    regex.VERSION1,
)
"""Digits that are a part of a number: of "1,000", "3.5", ".5", "12:30", "1/2", "1'000", "1 000".

With ordinary spaces, too, three digits after one to three digits are taken as a group of thousands.
"""
BLANK_SEPARATED = re.compile(r"\S++")
WORD_CHARACTERS = re.compile(r"\w+")


def is_plain(text: str, start: int, end: int) -> bool:
    """Return whether the token at these code points of a text may be part of a span."""
    if not PLAIN.fullmatch(text, start, end):
        return False
    part = NUMBER_PART.match(text, start)
    return part is None or part.end() != end


def word_key(word: str) -> str:
    """Return the form in which two words are compared: each code point in lower case."""
    return lower_each(word)


def blank_separated_block(words: int) -> re.Pattern[str]:
    """Return the pattern of ``words`` words, or fewer at a text's end, with the space between.

    One match is one block, which is far faster than one match for each word.
    """
    return re.compile(rf"\S++(?:\s++\S++){{0,{words - 1}}}+")
