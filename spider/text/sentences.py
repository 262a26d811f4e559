"""Where sentences end. Two stages ask, and each has its rule."""

import regex

ENDS = (".", "!", "?", "。", "！", "？")
CLOSERS = "\"'”’)]»"
SENTENCE = regex.compile(r"\S.*?(?:[.!?]+[\"'\)\]]*(?=\s)|$)", flags=regex.DOTALL)
"""The sentences of the inverse cloze task, which together cover a passage.

It knows fewer marks than :func:`ends_sentence`. It stays as it is, because other sentences would
train other encoders.
"""


def ends_sentence(word: str) -> bool:
    """Tell whether a sentence may end after a word: its last sign, closers aside, is an end mark.

    A passage may end after such a word. An abbreviation ("etc.") counts, which costs a passage
    border in an unusual place and nothing else.
    """
    return word.rstrip(CLOSERS).endswith(ENDS)
