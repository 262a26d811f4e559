"""Converts tokens to text during generation, in whole characters and without stop strings."""

import codecs
import copy
from collections.abc import Sequence

from spider.errors import ConfigError


class TextStream:
    """Converts the bytes of one sequence's tokens to text, up to a stop string.

    The text ends where a stop string is first complete, whatever its tokens. If several are
    complete at the same character, the longest counts. Text that may still become a stop string,
    and bytes of an incomplete character, are held back.

    Args:
        stops: the stop strings.
        include_stop: keep the stop string at the end of the text.

    Attributes:
        stopped: whether a stop string has ended the text.

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
        """Return an independent copy."""
        other = copy.copy(self)
        other._decoder = _decoder()
        other._decoder.setstate(self._decoder.getstate())
        return other

    def push(self, piece: bytes) -> str:
        """Add the bytes of one more token; return the text that is final now."""
        return self._take(self._decoder.decode(piece)) if piece else ""

    def finish(self) -> str:
        """Return the text that was held back; no more tokens may follow."""
        text = self._take(self._decoder.decode(b"", final=True))
        held, self._held = self._held, ""
        return text + held

    def _take(self, text: str) -> str:
        if self.stopped or not (text or self._held):
            return ""
        window = self._held + text
        # the smallest pair is the earliest end, and for equal ends the longest stop string
        ends = [
            (start + len(stop), start) for stop in self._stops if (start := window.find(stop)) >= 0
        ]
        if ends:
            end, start = min(ends)
            self.stopped, self._held = True, ""
            return window[: end if self._include_stop else start]
        final = len(window) - self._held_length(window)
        self._held = window[final:]
        return window[:final]

    def _held_length(self, window: str) -> int:
        """Return the length of the longest suffix of ``window`` that begins a stop string."""
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
        ConfigError: a stop string is empty.
    """
    if any(not stop for stop in stops):
        raise ConfigError("a stop string is empty; leave it out")
