"""Sections: runs of consecutive passages of a large document, each in one part of the split."""

from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from spider.artifacts.array_stream import open_array
from spider.artifacts.atomic_files import save_array
from spider.errors import ArtifactError

RECORD = "sections.npy"
FEWEST = 10
WANTED = 50
"""Sections of a document that is long enough: ten of them are for testing."""
SHORTEST, LONGEST = 3, 10
"""Passages of a section: ten are about a subsection of a book."""


class Sections:
    """The sections of the documents that are split by sections, in the corpus's order.

    Args:
        rows: document, first passage, passage after the last, and part of each section.
    """

    def __init__(self, rows: Int64[np.ndarray, "sections 4"]):
        self.rows = rows

    @classmethod
    def none(cls) -> "Sections":
        """Return the sections of a corpus without large documents."""
        return cls(np.zeros((0, 4), dtype=np.int64))

    def __len__(self) -> int:
        return len(self.rows)

    def of_part(self, part: int) -> Int64[np.ndarray, "sections 4"]:
        """Return the rows of one part."""
        rows: Int64[np.ndarray, "sections 4"] = self.rows[self.rows[:, 3] == part]
        return rows

    def parts_of(self, positions: Int64[np.ndarray, " passages"]) -> UInt8[np.ndarray, " passages"]:
        """Return the parts of passages of documents that are split by sections."""
        places = np.searchsorted(self.rows[:, 1], positions, side="right") - 1
        return np.asarray(self.rows[places, 3], dtype=np.uint8)

    def outside(self, document: int, part: int) -> Int64[np.ndarray, " passages"]:
        """Return the passages of a document that are in other parts, ascending."""
        own = self.rows[self.rows[:, 0] == document]
        ranges = [np.arange(first, after) for _, first, after, other in own if other != part]
        return np.concatenate([np.zeros(0, dtype=np.int64), *ranges])

    def stretches(self) -> Int64[np.ndarray, "stretches 4"]:
        """Return the rows with neighbours of one part joined, which are longer texts to read."""
        rows = self.rows
        begins = np.ones(len(rows), dtype=np.bool_)
        begins[1:] = (rows[1:, [0, 3]] != rows[:-1, [0, 3]]).any(axis=1)
        joined: Int64[np.ndarray, "stretches 4"] = rows[begins].copy()
        if len(rows):
            lasts = np.append(np.flatnonzero(begins)[1:], len(rows)) - 1
            joined[:, 2] = rows[lasts, 2]
        return joined

    def save(self, folder: Path) -> None:
        """Write the record into an existing folder."""
        save_array(folder / RECORD, self.rows)

    @classmethod
    def load(
        cls, folder: Path, documents: Int64[np.ndarray, " documents"], parts: int
    ) -> "Sections":
        """Open the record.

        Args:
            folder: where :meth:`save` wrote.
            documents: the documents that have sections, ascending.
            parts: a part is a number below this one.

        Raises:
            ArtifactError: the record is missing or damaged.
        """
        path = folder / RECORD
        if not path.exists() and not len(documents):
            return cls.none()  # mined before documents had sections
        rows = np.array(open_array(path))
        if not _is_sound(rows, documents, parts):
            raise ArtifactError(
                f"{path}: got {rows.dtype} values of shape {rows.shape}, expected the document, "
                "first passage, passage after the last and part of each section; mine again"
            )
        return cls(rows)


def cut_sections(passages: range) -> list[range]:
    """Cut a document's passages into sections of equal length; the last one takes what is left."""
    length = min(max(len(passages) // WANTED, SHORTEST), LONGEST)
    firsts = [passages.start + length * place for place in range(len(passages) // length)]
    return [range(*bounds) for bounds in zip(firsts, [*firsts[1:], passages.stop], strict=True)]


def _is_sound(rows: np.ndarray, documents: Int64[np.ndarray, " documents"], parts: int) -> bool:
    if rows.dtype != np.int64 or rows.ndim != 2 or rows.shape[1] != 4:
        return False
    ordered = (rows[:, 1] < rows[:, 2]).all() and (rows[1:, 1] >= rows[:-1, 2]).all()
    known = ((rows[:, 3] >= 0) & (rows[:, 3] < parts)).all()
    return bool(ordered and known and np.array_equal(np.unique(rows[:, 0]), documents))
