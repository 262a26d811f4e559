"""Unicode folding: the forms under which two spellings count as one."""

import unicodedata


def lower_code_point(character: str) -> str:
    """Lower one code point; one that lowers to several ("İ") is unchanged.

    So a folded text has as many code points as the text, and offsets stay valid.
    """
    lowered = character.lower()
    return lowered if len(lowered) == 1 else character


def lower_each(text: str) -> str:
    """Lower each code point by itself, so a final sigma equals any other sigma."""
    return "".join(map(lower_code_point, text))


def decompose(text: str) -> str:
    """Return the canonical decomposition (NFD), in which an accent is a separate character.

    Source: DPR, ``dpr/data/qa_validation.py::_normalize``.
    """
    return text if text.isascii() else unicodedata.normalize("NFD", text)
