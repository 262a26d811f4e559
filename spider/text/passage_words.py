r"""The words that measure a passage, also where a text has no spaces between its words.

Every run of characters without white space is one word, with its punctuation, as for DPR. A run
with letters of a script that is written without spaces is cut further:

* two characters of Han or kana are one word (a Chinese word has 1.5 to 2 on average), so that 100
  words are about 200 tokens of BERT;
* five letters of Thai, Lao, Khmer or Myanmar, with their marks, are one word;
* another part of the run (a Latin name, a number) is one word.

Closing punctuation belongs to the word before it, opening punctuation to the word after it. These
words measure a length only: they may begin inside a word of the language, since finding its words
needs a dictionary.
"""

import re

import regex

from spider.text.words import (
    BLANK_SEPARATED,
    HAN_AND_KANA,
    SOUTH_EAST_ASIAN,
    UNSPACED,
    character_class,
)

_PAIR = character_class(HAN_AND_KANA)
_FIVE = character_class(SOUTH_EAST_ASIAN)
_UNSPACED = re.compile(f"[{character_class(UNSPACED)}]")
_OPEN = r"[\p{Ps}\p{Pi}]"
_CLOSE = rf"[^\s\p{{L}}\p{{N}}\p{{M}}\p{{Ps}}\p{{Pi}}{_PAIR}{_FIVE}]*"
_PART = regex.compile(
    rf"{_OPEN}*(?:(?:[{_PAIR}][\p{{M}}\p{{Cf}}]*){{1,2}}{_CLOSE}"
    rf"|(?:[{_FIVE}][\p{{M}}\p{{Cf}}]*){{1,5}}{_CLOSE}"
    rf"|[^\s{_PAIR}{_FIVE}\p{{Ps}}\p{{Pi}}]+)"
    rf"|{_OPEN}+"
)
_CLUSTERS = regex.compile(r"\X")


def has_unspaced(text: str) -> bool:
    """Return whether a text has a letter of a script that is written without spaces."""
    return not text.isascii() and _UNSPACED.search(text) is not None


def count_words(text: str) -> int:
    """Return the number of words of a text."""
    return len(word_bounds(text)) if has_unspaced(text) else len(text.split())


def word_bounds(text: str) -> list[tuple[int, int]]:
    """Return start and end (code points) of each word of a text, in order."""
    found: list[tuple[int, int]] = []
    for match in BLANK_SEPARATED.finditer(text):
        if has_unspaced(match.group()):
            found.extend(part.span() for part in _PART.finditer(text, *match.span()))
        else:
            found.append(match.span())
    return found


def cut_word(text: str, start: int, end: int, longest: int) -> list[tuple[int, int]]:
    """Cut an overlong word into parts of at most ``longest`` code points.

    No part ends inside a character that a person sees as one (a letter with its marks, an emoji),
    unless this character alone is longer.
    """
    parts = []
    while end - start > longest:
        # a slice, since \X looks back to the beginning of a run of flags
        piece = text[start : start + longest + 1]
        ends = (cluster.end() for cluster in _CLUSTERS.finditer(piece))
        cut = max((place for place in ends if place <= longest), default=longest)
        parts.append((start, start + cut))
        start += cut
    parts.append((start, end))
    return parts
