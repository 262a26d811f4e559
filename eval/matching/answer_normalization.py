"""The form in which exact match and F1 compare answers."""

import re
import string

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalize_answer(text: str) -> str:
    """Return the form that exact match and F1 compare.

    In this order: lower case, ASCII punctuation deleted, English articles replaced by a space,
    white space collapsed.

    Source: Rajpurkar et al. 2016 (SQuAD), the official evaluation script.
    """
    bare = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())
