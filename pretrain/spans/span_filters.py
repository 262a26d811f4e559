"""Rules for the word n-grams that may be recurring spans: the paper's, and the released code's."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Literal, get_args

from spider.errors import SettingError
from spider.text.stop_words import SPLINTER

StopWordRule = Literal["not_all", "not_at_ends"]


class SpanFilter:
    """Rules for a span of words; ``conf/span_filter`` has the two sets of settings.

    Common to both: every word is all letters or all digits, so a span never crosses punctuation, a
    hyphen or an apostrophe, and no word is a part of a number such as 1,000 or 3.5. Lower-cased
    words are compared. A span lies within one passage, recurs in two candidate passages or more,
    and is missing in at least one. It is maximal: no longer accepted span has the same occurrences.
    The released code's "three candidate passages or more" follows from this and needs no setting.

    ======================  =========================  =====================================
    rule                    ``paper`` (section 4.4)     ``released`` (preprocess_corpus.py)
    ======================  =========================  =====================================
    length in words         2 to 10                    2 to 9 (its loop ends one early)
    passage's last token    may be part of a span      never (the same off-by-one)
    stop words              not every word is one      neither first nor last word is one
    ======================  =========================  =====================================

    The released rule leaves out the paper's own example "the priesthood for himself and his male
    descendants". Three differences from the released code remain in ``released`` mode. Its words
    are spaCy's English tokens, ours are :data:`spider.text.words.WORD`. Documents are distinguished
    by id, not by title, so two documents of one title do not merge. Lower-casing is by code point.

    Args:
        minimum_words: shortest span; 2 or more, since the released rule for single words
            (capitalised, or four digits) belongs to neither mode.
        maximum_words: longest span.
        last_token_allowed: whether a span may contain its passage's last token.
        stop_words: ``not_all``: at least one word is not a stop word; ``not_at_ends``: neither the
            first nor the last is one.
        max_title_overlap: drop a span when more than this share of its words is in the document's
            title. None, as in the paper and in the released code, drops none.

    Raises:
        ConfigError: a setting is out of its range.
    """

    def __init__(
        self,
        *,
        minimum_words: int = 2,
        maximum_words: int = 10,
        last_token_allowed: bool = True,
        stop_words: StopWordRule = "not_all",
        max_title_overlap: float | None = None,
    ):
        if not 2 <= minimum_words <= maximum_words <= 255:
            raise SettingError(
                "maximum_words", maximum_words, f"minimum_words={minimum_words} (2 or more) to 255"
            )
        if stop_words not in get_args(StopWordRule):
            raise SettingError("stop_words", stop_words, f"one of {get_args(StopWordRule)}")
        if max_title_overlap is not None and not 0.0 <= max_title_overlap <= 1.0:
            raise SettingError("max_title_overlap", max_title_overlap, "0 to 1, or null")
        self.minimum_words = minimum_words
        self.maximum_words = maximum_words
        self.last_token_allowed = last_token_allowed
        self.stop_words = stop_words
        self.max_title_overlap = max_title_overlap

    def accepts(self, words: Sequence[str], title_words: AbstractSet[str] = frozenset()) -> bool:
        """Return whether a span passes the rules that depend only on its words.

        Args:
            words: its words, lower-cased; each all letters or all digits, and no part of a number.
            title_words: the document's title's words, lower-cased.
        """
        if not self.minimum_words <= len(words) <= self.maximum_words:
            return False
        stops = [word in SPLINTER for word in words]
        if all(stops) or (self.stop_words == "not_at_ends" and (stops[0] or stops[-1])):
            return False
        if self.max_title_overlap is None:
            return True
        in_title = sum(word in title_words for word in words)
        return in_title <= self.max_title_overlap * len(words)
