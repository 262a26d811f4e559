"""A ``.npy`` file that grows at its end, for arrays larger than memory."""

from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import DTypeLike

from spider.array_file import load_array
from spider.errors import ArtifactError

BUFFER_ROWS = 1 << 16


class ArrayStream:
    """Append rows to a ``.npy`` file; the header is completed on closing.

    NumPy pads its header of version 1.0, so the first axis can grow without moving the data
    (``numpy.lib.format.GROWTH_AXIS_MAX_DIGITS``).

    Args:
        path: the file, replaced if it exists.
        dtype: the dtype of the elements.
        row_shape: shape of one row; () for a plain list of numbers.
    """

    def __init__(self, path: Path, dtype: np.dtype, row_shape: tuple[int, ...] = ()):
        self._dtype = np.dtype(dtype)
        self._row_shape = row_shape
        self._file = path.open("wb")
        self._rows = 0
        self._pending: list[object] = []
        self._write_header()

    def append(self, row: object) -> None:
        """Add one row."""
        self._pending.append(row)
        if len(self._pending) >= BUFFER_ROWS:
            self._flush()

    def extend(self, rows: np.ndarray) -> None:
        """Add many rows at once."""
        self._flush()
        block = np.ascontiguousarray(rows, dtype=self._dtype)
        self._file.write(block.tobytes())
        self._rows += len(block)

    def __len__(self) -> int:
        return self._rows + len(self._pending)

    def close(self) -> None:
        """Write what is buffered and the final header."""
        if self._file.closed:
            return
        self._flush()
        self._file.seek(0)
        self._write_header()
        self._file.close()

    def __enter__(self) -> "ArrayStream":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _flush(self) -> None:
        if not self._pending:
            return
        block = np.array(self._pending, dtype=self._dtype).reshape(-1, *self._row_shape)
        self._pending.clear()
        self._file.write(block.tobytes())
        self._rows += len(block)

    def _write_header(self) -> None:
        header = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._rows, *self._row_shape),
        }
        np.lib.format.write_array_header_1_0(self._file, header)


def open_array(
    path: Path, dtype: DTypeLike | None = None, row_shape: tuple[int, ...] | None = None
) -> np.ndarray:
    """Open a ``.npy`` file memory-mapped and read-only.

    Args:
        path: the file.
        dtype: the dtype that it has to have, if given.
        row_shape: the shape of a row that it has to have, if given.

    Raises:
        ArtifactError: it is missing, damaged, or holds another kind of numbers.
    """
    array = load_array(path, error=ArtifactError, mapped=True)
    expected = array.dtype if dtype is None else np.dtype(dtype)
    rows = array.shape[1:] if row_shape is None else row_shape
    if array.dtype != expected or array.ndim == 0 or array.shape[1:] != rows:
        raise ArtifactError(
            f"{path}: got {array.dtype} of shape {array.shape}, expected {expected} with rows of "
            f"shape {rows}; make its artifact again"
        )
    return array
