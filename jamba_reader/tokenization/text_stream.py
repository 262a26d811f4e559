"""Tokens become text as they come: whole characters only, and never a part of a stop string."""

import codecs
import copy
from collections.abc import Sequence

from spider.errors import ConfigError


class TextStream:
    """Turns the bytes of one sequence's tokens into text, up to a stop string.

    The text ends where a stop string is first complete, whichever tokens it came in; of several
    complete at the same character, the longest counts. What may still become a stop string, and
    bytes that are no whole character yet, are held back until it is known.

    Args:
        stops: the stop strings.
        include_stop: keep the stop string at the end of the text.

    Attributes:
        stopped: a stop string was met; the text is over.

    Raises:
        ConfigError: a stop string is empty.
    """

    def __init__(self, stops: Sequence[str] = (), *, include_stop: bool = False):
        check_stops(stops)
        self.stopped = False
        self._stops = tuple(stops)
        self._include_stop = include_stop
        self._decoder = _decoder()
        self._held = ""

    def fork(self) -> "TextStream":
        """Return a copy that goes its own way."""
        twin = copy.copy(self)
        twin._decoder = _decoder()
        twin._decoder.setstate(self._decoder.getstate())
        return twin

    def push(self, piece: bytes) -> str:
        """Take the bytes of one more token; return the text that is certain now."""
        return self._take(self._decoder.decode(piece)) if piece else ""

    def finish(self) -> str:
        """Return what was held back, once no more tokens come."""
        text = self._take(self._decoder.decode(b"", final=True))
        held, self._held = self._held, ""
        return text + held

    def _take(self, text: str) -> str:
        if self.stopped or not (text or self._held):
            return ""
        window = self._held + text
        # end first, then start: the earliest end, and of those the longest stop string
        ends = [
            (start + len(stop), start) for stop in self._stops if (start := window.find(stop)) >= 0
        ]
        if ends:
            end, start = min(ends)
            self.stopped, self._held = True, ""
            return window[: end if self._include_stop else start]
        certain = len(window) - self._doubtful(window)
        self._held = window[certain:]
        return window[:certain]

    def _doubtful(self, window: str) -> int:
        """Return the length of the longest end of ``window`` that begins a stop string."""
        longest = max(map(len, self._stops), default=0) - 1
        for length in range(min(longest, len(window)), 0, -1):
            tail = window[len(window) - length :]
            if any(stop.startswith(tail) for stop in self._stops):
                return length
        return 0


def _decoder() -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder("utf-8")("replace")


def check_stops(stops: Sequence[str]) -> None:
    """Check stop strings.

    Raises:
        ConfigError: one is empty.
    """
    if any(not stop for stop in stops):
        raise ConfigError("a stop string is empty; leave it out")
