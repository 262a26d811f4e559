"""Progress with rate and time left: a bar on a terminal, a log line every ten seconds elsewhere."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import NamedTuple

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from spider.printable import printable

LOG_EVERY_SECONDS = 10.0

logger = logging.getLogger(__name__)


class ProgressEvent(NamedTuple):
    """The argument of a progress callback.

    Attributes:
        label: the work ("embed").
        done: the amount of completed work.
        total: the amount of all work; None when unknown.
        unit: the name of the counted things, in the plural ("passages").
    """

    label: str
    done: int
    total: int | None
    unit: str


_callback: ContextVar[Callable[[ProgressEvent], None] | None] = ContextVar("callback", default=None)


@contextmanager
def reporting(callback: Callable[[ProgressEvent], None] | None) -> Iterator[None]:
    """Call a function for each step of progress in the body, instead of drawing a bar.

    Args:
        callback: the function; None draws nothing and calls nothing.
    """
    token = _callback.set(callback or _ignore)
    try:
        yield
    finally:
        _callback.reset(token)


def _ignore(event: ProgressEvent) -> None:
    """Take an event and do nothing."""


class Progress:
    """Counts completed work.

    Args:
        total: the amount of work; None when unknown.
        unit: the name of the counted things, in the plural ("passages").
        label: the name of the work ("embed").
    """

    def __init__(self, *, total: int | None, unit: str, label: str):
        self._total = total
        self._unit = unit
        self._label = label
        self._done = 0
        self._resumed = 0
        self._started = 0.0
        self._logged = 0.0
        self._bar: RichProgress | None = None
        self._task = TaskID(0)
        self._report = _callback.get()

    def __enter__(self) -> "Progress":
        self._started = self._logged = time.monotonic()
        if self._report is None and sys.stderr.isatty():
            self._bar = RichProgress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.fields[state]}", markup=False),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(printable(self._label), total=self._total, state="")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        if kind is None and self._done > self._resumed:
            logger.info("%s: %s", self._label, self.state())

    def resume_at(self, done: int) -> None:
        """Count work of an earlier run, which is not part of this run's rate."""
        self._done = self._resumed = done

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Count more work; ``note`` is shown after the numbers (a loss, say)."""
        self._done += amount
        if self._report is not None:
            self._report(ProgressEvent(self._label, self._done, self._total, self._unit))
        now = time.monotonic()
        if self._bar is not None:
            state = printable(self.state(note))
            self._bar.update(self._task, completed=self._done, state=state)
        elif now - self._logged >= LOG_EVERY_SECONDS:
            self._logged = now
            logger.info("%s: %s%s", self._label, self.state(note), self._time_left())

    @property
    def rate(self) -> float:
        """Units a second in this run."""
        elapsed = time.monotonic() - self._started
        return (self._done - self._resumed) / elapsed if elapsed > 0 else 0.0

    def state(self, note: str = "") -> str:
        """Return the amount of completed work and its rate as text."""
        total = "" if self._total is None else f" of {self._total:,}"
        rate = f"{self.rate:,.0f}" if self.rate >= 10 else f"{self.rate:.2f}"
        tail = f", {note}" if note else ""
        unit = _one_of(self._unit) if (self._total or self._done) == 1 else self._unit
        return f"{self._done:,}{total} {unit}, {rate}/s{tail}"

    def _time_left(self) -> str:
        if self._total is None or self.rate <= 0:
            return ""
        seconds = int((self._total - self._done) / self.rate)
        return f", {seconds // 60}:{seconds % 60:02d} left"


def _one_of(units: str) -> str:
    """Return the word for one of the counted things: ``passage``, ``query``."""
    return f"{units[:-3]}y" if units.endswith("ies") else units.removesuffix("s")
