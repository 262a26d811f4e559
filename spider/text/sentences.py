"""Rules for the ends of sentences. Two stages need one, and each has its own."""

import regex

ENDS = (".", "!", "?", "。", "！", "？", "．", "｡", "။", "។", "៕", "।")
CLOSERS = "\"'”’)]»」』）】》〉"
_CLAUSE = regex.compile(r"[\p{Po}\p{Pd}\p{Pe}\p{Pf}]$")
# a run of marks is tried once, at its begin: else 100,000 dots in a row take minutes
_END = r"[.!?]++[\"'\)\]]*+(?=\s)"
SENTENCE = regex.compile(rf"\S(?:(?<=[.!?]){_END}|.*?(?:(?<![.!?]){_END}|$))", flags=regex.DOTALL)
"""The sentences of the inverse cloze task, which together cover a passage.

It knows fewer marks than :func:`ends_sentence`. It does not change, because other sentences would
train other encoders.
"""


def ends_sentence(word: str) -> bool:
    """Return whether a word ends with an end mark, apart from closing brackets and quotes.

    A passage may end after such a word. An abbreviation ("etc.") counts too; its only effect is a
    passage border in an unusual place.
    """
    return word.rstrip(CLOSERS).endswith(ENDS)


def ends_clause(word: str) -> bool:
    """Return whether a word ends with punctuation: where text without spaces may be cut."""
    return _CLAUSE.search(word) is not None
