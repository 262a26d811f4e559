"""Answers that are regular expressions, with a limit on their length and on the time of a search.

A pattern of nine characters can take longer than anyone waits on a text of 100: ``(a|aa)+b`` tries
every way to cut a run of ``a``. Patterns come from files of other people.
"""

from typing import Any

import regex

from spider.text.dpr_tokens import FLAGS

LONGEST = 20_000
"""Characters of a pattern; the longest of CuratedTREC has 1,310."""

SECONDS = 1.0
"""Processor time of one search in one passage. A pattern of CuratedTREC takes under 0.001 s."""


class AnswerPattern:
    """A pattern that is searched in passages.

    Args:
        pattern: a regular expression of the ``regex`` module.

    Attributes:
        too_slow: a search took longer than ``SECONDS``; the pattern matches nothing from then on.

    Raises:
        ValueError: it is not a regular expression, or too long or too deeply nested for one.
    """

    def __init__(self, pattern: str):
        if len(pattern) > LONGEST:
            raise ValueError(f"a regular expression of more than {LONGEST} characters")
        try:
            self._compiled: Any = regex.compile(pattern, flags=FLAGS)
        except RecursionError as error:
            raise ValueError("a regular expression that is nested too deeply") from error
        except (regex.error, ValueError, OverflowError, MemoryError) as error:
            raise ValueError(f"not a regular expression: {error}") from error
        self.too_slow = False

    def occurs(self, text: str) -> bool:
        """Say whether the pattern matches anywhere in the text; False if it is too slow."""
        if self.too_slow:
            return False
        try:
            return self._compiled.search(text, timeout=SECONDS) is not None
        except (TimeoutError, MemoryError, RecursionError):
            self.too_slow = True
            return False
