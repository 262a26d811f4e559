"""One decoding step on a CPU: everything between two attention layers in one numba call.

A step of a small model is short: with one call per operation, a quarter of its time went to the
calls. Here a table holds the addresses of the weights, see ``operands``; the caller reads
a model into it. There is no second implementation: the reference is the path of the model's own
layers, and ``tests/jamba_reader/ops/decode_step`` compares the two.
"""

import numpy as np
import torch
from torch import Tensor

from jamba_reader.ops.decode_step.cpu import launch
from jamba_reader.ops.decode_step.operands import COLUMNS, Buffers, Shape, kind_of
from spider.errors import DataError


class Step:
    """The tensors of one decoding step, which its calls share.

    Args:
        shape: sizes of the model.
        head_dim: size of an attention head.
        eps: the epsilon of the norms.
        stream: embeddings ``[rows, hidden]`` of the tokens; written in place.
        logits: ``[rows, vocabulary]``; the head's part writes them.

    Attributes:
        query: what a ``QUERY_KEY_VALUE`` part writes, ``[rows, heads, head_dim]``.
        key: what it writes, ``[rows, kv_heads, head_dim]``.
        value: what it writes, of the key's shape.
        mixed: what attention returned, for the ``ATTENTION_OUTPUT`` part.

    Raises:
        DataError: stream and logits do not have the shape's sizes or dtype.
    """

    def __init__(self, shape: Shape, head_dim: int, eps: float, stream: Tensor, logits: Tensor):
        for name, tensor, width in (
            ("stream", stream, shape.hidden),
            ("logits", logits, shape.vocabulary),
        ):
            _check(name, tensor, (shape.rows, width), shape.kind)
        rows, pairs = shape.rows, shape.rows * shape.chosen
        self.query = stream.new_empty(rows, shape.queries // head_dim, head_dim)
        self.key = stream.new_empty(rows, shape.shared // head_dim, head_dim)
        self.value = torch.empty_like(self.key)
        self.mixed = self.query
        self._shape, self._eps = shape, eps
        self._stream, self._branch, self._logits = stream, torch.zeros_like(stream), logits
        small = shape.rank + 2 * shape.states
        widths = (shape.hidden, shape.inner, shape.inner, small, shape.inner, shape.inner)
        sizes = [rows * width for width in widths]
        sizes += [pairs * shape.intermediate, pairs * shape.hidden]
        self._between = [stream.new_empty(size) for size in sizes]

    def run(self, parts: np.ndarray, first: int, last: int) -> None:
        """Run the parts from ``first`` to ``last - 1``.

        Args:
            parts: int64 ``[parts, COLUMNS]``: see ``operands``. Every address must be that of a
                tensor of the shape's sizes and dtype, which the caller keeps alive.
            first: part.
            last: behind the last one.

        Raises:
            DataError: the table has another form, or has no such parts.
        """
        if parts.dtype != np.int64 or parts.shape[1:] != (COLUMNS,):
            raise DataError(
                f"decode_step: parts are {parts.dtype} {parts.shape}, expected int64 "
                f"[parts, {COLUMNS}]"
            )
        if not 0 <= first <= last <= len(parts):
            raise DataError(f"decode_step: parts {first} to {last} of {len(parts)}")
        _check("mixed", self.mixed, tuple(self.query.shape), self._shape.kind)
        tensors = (self._stream, self._branch, *self._between, self.query, self.key, self.value)
        addresses = (tensor.data_ptr() for tensor in (*tensors, self.mixed, self._logits))
        launch.run(self._shape, parts, first, last, Buffers(*addresses), self._eps)


def _check(name: str, tensor: Tensor, expected: tuple[int, ...], kind: int) -> None:
    """Refuse a tensor that does not fit: a kernel that reads by address would read beyond it."""
    if (
        tuple(tensor.shape) != expected
        or kind_of(tensor.dtype) != kind
        or not tensor.is_contiguous()
        or not tensor.is_cpu
    ):
        raise DataError(
            f"decode_step: {name} is {tensor.dtype} {tuple(tensor.shape)} on {tensor.device}, "
            f"expected contiguous {expected} of the weights' dtype on the CPU"
        )
