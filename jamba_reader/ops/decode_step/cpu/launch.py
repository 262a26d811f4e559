"""The decoding step on a CPU: the call of the numba kernel."""

import numpy as np

from jamba_reader.ops.decode_step.cpu.schedule import run_parts
from jamba_reader.ops.decode_step.operands import JOB_WORDS, Buffers, Shape
from jamba_reader.ops.machine.shared_work import BOARD
from jamba_reader.ops.machine.threads import match_threads


def run(
    shape: Shape, parts: np.ndarray, first: int, last: int, buffers: Buffers, eps: float
) -> None:
    """Run the parts from ``first`` to ``last - 1`` on as many threads as torch has.

    Args:
        shape: sizes of the model.
        parts: the table, a row per part.
        first: part.
        last: behind the last one.
        buffers: addresses.
        eps: the epsilon of the norms.
    """
    pairs = shape.rows * shape.chosen
    routing = (
        np.empty(shape.experts, np.int64),
        np.empty(shape.experts + 1, np.int64),
        np.empty(pairs, np.int64),
        np.empty(pairs, np.float32),
        np.empty((shape.rows, shape.hidden), np.float32),
    )
    board, job = np.zeros(BOARD, np.int64), np.empty(JOB_WORDS, np.int64)
    run_parts(first, last, eps, shape, parts, buffers, match_threads(), board, job, *routing)
