"""Tokens for answers in text without spaces: DPR's, but each such letter is a token by itself.

DPR takes a run of letters as one token. A Chinese clause is one run, so an answer inside it is
never found. Here each letter of Han, kana, Thai, Lao, Khmer and Myanmar is a token with its marks,
and so is each Hangul syllable, since Korean particles follow a word without a space. Everything
else is DPR's: without these scripts both rules find the same answers.

Source: MLQA's evaluation (Lewis et al. 2020) cuts Chinese text into characters (its
``mixed_segmentation``, after CMRC 2018); this is the same for the other scripts.
"""

import regex

from spider.text.dpr_tokens import SEPARATOR, join_tokens
from spider.text.folding import decompose
from spider.text.passage_words import has_unspaced
from spider.text.words import UNSPACED, character_class

_RANGES = character_class(UNSPACED)
# decomposed Hangul: leading consonants, vowels, trailing consonants
_LEADING = r"\u1100-\u115f\ua960-\ua97c"
_FOLLOWING = r"\u1160-\u11ff\ud7b0-\ud7fb"
_ALONE = rf"[\p{{L}}&&[{_RANGES}]]\p{{M}}*|[{_LEADING}]+[{_FOLLOWING}]*"
_TOGETHER = rf"[[\p{{L}}\p{{N}}\p{{M}}]--[\p{{L}}&&[{_RANGES}]]--[{_LEADING}]]+"
_TOKEN = regex.compile(rf"{_ALONE}|{_TOGETHER}|[^\p{{Z}}\p{{C}}]", regex.VERSION1)
_HANGUL = regex.compile(r"\p{Script=Hangul}")


def has_characters_alone(text: str) -> bool:
    """Return whether a text has a letter that is a token by itself under this rule."""
    return not text.isascii() and (has_unspaced(text) or _HANGUL.search(text) is not None)


def join_character_tokens(text: str) -> str:
    """Return the tokens of a text as one string; see ``spider.text.dpr_tokens.join_tokens``."""
    if not has_characters_alone(text):
        return join_tokens(text)
    tokens = _TOKEN.findall(decompose(text))
    return f"{SEPARATOR}{SEPARATOR.join(tokens)}{SEPARATOR}".lower()
