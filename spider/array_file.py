"""Reads ``.npy`` files whose header and size agree; a damaged one is an error of the tree."""

import os
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.lib import format as npy

from spider.errors import DataError, SpiderError
from spider.reading import open_regular, reading


def load_array(
    path: Path | str, *, error: type[SpiderError] = DataError, mapped: bool = False
) -> np.ndarray:
    """Return the array of a ``.npy`` file whose header and size agree.

    Args:
        path: the file.
        error: the class to raise.
        mapped: map the file into memory, read-only; else its content is read.

    Raises:
        SpiderError: it cannot be read, is no ``.npy`` file, is cut, or holds Python objects.
    """
    with open_regular(path, error=error) as file, reading(path, error=error, foreign=True):
        version = npy.read_magic(file)
        if version not in {(1, 0), (2, 0), (3, 0)}:
            raise ValueError(f"a .npy file of version {version}")
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = read_header(file)
        start, end = file.tell(), file.seek(0, os.SEEK_END)
        elements = 1
        for length in shape:
            elements *= length
        if dtype.hasobject or dtype.itemsize == 0 or min(shape, default=0) < 0:
            raise ValueError(f"an array of {dtype} and shape {shape}")
        if start + elements * dtype.itemsize != end:
            raise EOFError(
                f"{end - start} bytes of data, expected {elements * dtype.itemsize} for an array"
                f" of {dtype} and shape {shape}"
            )
        order: Literal["F", "C"] = "F" if fortran else "C"
        if mapped and end > start:
            return np.memmap(file, dtype, "r", start, shape, order).view(np.ndarray)
        file.seek(start)
        return np.fromfile(file, dtype, elements).reshape(shape, order=order)
