"""Text forms under which answers are compared."""

import re
import string
import unicodedata

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def decompose(text: str) -> str:
    """Return the canonical decomposition (NFD), in which an accent is a character of its own.

    Source: DPR, ``dpr/data/qa_validation.py::_normalize``.
    """
    return text if text.isascii() else unicodedata.normalize("NFD", text)


def normalize_answer(text: str) -> str:
    """Return the form that exact match and F1 compare.

    In this order: lower case, ASCII punctuation deleted, English articles replaced by a space,
    white space collapsed.

    Source: Rajpurkar et al. 2016 (SQuAD), the official evaluation script.
    """
    bare = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())
