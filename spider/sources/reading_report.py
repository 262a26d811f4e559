"""Counts of the items that a source read or skipped, and why."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar, runtime_checkable

EXAMPLES = 1000


def skipped_lines(skipped: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line for each reason: how many items were skipped, an example and the hint."""
    for reason, entry in skipped.items():
        hint = f"; {entry['hint']}" if entry["hint"] else ""
        words = reason.replace("_", " ")
        yield f"skipped {entry['count']}: {words} (such as {entry['examples'][0]}){hint}"


@runtime_checkable
class _Row(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def text(self) -> str: ...


Row = TypeVar("Row", bound=_Row)


class ReadingReport:
    """Counts for the manifest, with the names of skipped items.

    Args:
        read: name of the count of items read, such as ``files_read``.
    """

    def __init__(self, read: str = "rows_read"):
        self._read = read
        self._counts: Counter[str] = Counter({read: 0})
        self._skipped: dict[str, dict[str, Any]] = {}

    def add_read(self) -> None:
        """Count one item that was read."""
        self._counts[self._read] += 1

    def add(self, name: str, amount: int = 1) -> None:
        """Add to another count."""
        self._counts[name] += amount

    def add_some(self, name: str, amount: int) -> None:
        """Add to another count, which is left out while it is 0."""
        if amount:
            self.add(name, amount)

    def skip(self, reason: str, example: str, *, hint: str = "") -> None:
        """Count one item that was skipped.

        Args:
            reason: one word, or two joined by an underscore; the count is ``skipped_REASON``.
            example: the path or row.
            hint: how to make it readable.
        """
        self._counts[f"skipped_{reason}"] += 1
        entry = self._skipped.setdefault(reason, {"count": 0, "hint": hint, "examples": []})
        entry["count"] += 1
        if len(entry["examples"]) < EXAMPLES:
            entry["examples"].append(example)

    def with_text(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Count every row, and yield those that have a word of text."""
        for row in rows:
            if row.text.split():
                self.add_read()
                yield row
            else:
                self.skip("empty", row.id)

    @property
    def counts(self) -> Mapping[str, int]:
        """Counts by name."""
        return dict(self._counts)

    @property
    def skipped(self) -> Mapping[str, Mapping[str, Any]]:
        """For each reason the number, the hint, and the first thousand examples."""
        return {reason: dict(entry) for reason, entry in self._skipped.items()}
