"""Rows of length 1."""

import numpy as np
from jaxtyping import Float32

from spider.encoders.table.inference import SMALLEST_NORM


def unit_rows(rows: Float32[np.ndarray, "rows dimension"]) -> Float32[np.ndarray, "rows dimension"]:
    """Divide each row by its length; a row of zeros stays one."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, SMALLEST_NORM), dtype=np.float32)
