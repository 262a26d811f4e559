r"""The tokens of DPR's ``SimpleTokenizer``, which decide whether a passage contains an answer.

A text is decomposed (NFD) and cut into runs of letters, numbers and marks; every other visible
character is a token by itself. Tokens are lower-cased one by one. Published top-k accuracies depend
on this rule, so it must not change.

Source: ``dpr/utils/tokenizers.py``, ``dpr/data/qa_validation.py``.
"""

import re

import regex

from spider.text.folding import decompose

FLAGS = regex.IGNORECASE | regex.UNICODE | regex.MULTILINE
SEPARATOR = "\n"
"""Delimits joined tokens. No token contains a control character, and lower-casing makes none."""

_TOKEN = regex.compile(r"[\p{L}\p{N}\p{M}]+|[^\p{Z}\p{C}]", flags=FLAGS)
# the same tokens of ASCII text, by the standard library's faster engine
_ASCII_TOKEN = re.compile(r"[A-Za-z0-9]+|[!-/:-@\[-`{-~]")


def tokenize(text: str) -> list[str]:
    """Cut a text into DPR's lower-cased tokens: the readable, slow reference."""
    return [token.lower() for token in _TOKEN.findall(decompose(text))]


def join_tokens(text: str) -> str:
    r"""Return the tokens of a text as one string ``"\nto\nbe\n"``.

    A token list is a contiguous sub-list of another exactly when its joined string occurs in the
    other's: a character that no token contains delimits every token on both sides.
    Lower-casing the joined string equals lower-casing the tokens one by one: the only rule that
    depends on neighbours (the final sigma) stops at the separator.
    """
    tokens = _ASCII_TOKEN.findall(text) if text.isascii() else _TOKEN.findall(decompose(text))
    if not tokens:
        return SEPARATOR
    return f"{SEPARATOR}{SEPARATOR.join(tokens)}{SEPARATOR}".lower()
