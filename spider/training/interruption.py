"""Turns SIGINT and SIGTERM into a flag that the loop reads between two steps."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interruption:
    """A context that records the first SIGINT or SIGTERM, so that the process can save its state.

    A second Ctrl-C raises KeyboardInterrupt at once. Outside the main thread it does nothing, since
    Python allows handlers only in the main thread.

    Attributes:
        received: the recorded signal, or None.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = signal.Signals(number)
