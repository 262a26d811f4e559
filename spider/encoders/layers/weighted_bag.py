"""Sum of weighted rows of a table for each text: a readable reference and a fast CPU kernel.

For text t with tokens i (counted c_ti times), table V and weights w:

    S_t = sum_i c_ti w_i V_i

and with the gradient D_t of the loss by S_t, and G_i = sum_t c_ti D_t:

    dV_i = w_i G_i        dw_i = <V_i, G_i>

The kernel counts repeated tokens once per text. It runs over the texts in the forward pass and over
the vocabulary in the backward pass, so that one thread writes each output row once, in a fixed
order. So the result does not depend on the number of threads or on the other texts of the batch.
"""

from typing import Any, no_type_check

import numpy as np
import torch
from jaxtyping import Float32, Int64, Integer
from torch import Tensor

from spider.compilation import njit
from spider.machine.row_threads import in_threads
from spider.text.token_batch import TokenBatch

ROWS_PER_TASK = 64


def weighted_bag_reference(
    table: Float32[Tensor, "vocabulary dimension"],
    weights: Float32[Tensor, " vocabulary"],
    batch: TokenBatch,
) -> Float32[Tensor, "texts dimension"]:
    """Sum the weighted rows of each text's tokens, on any device: the reference."""
    return torch.nn.functional.embedding_bag(
        batch.ids,
        table,
        batch.offsets,
        mode="sum",
        per_sample_weights=weights[batch.ids],
        include_last_offset=True,
    )


def weighted_bag(
    table: Float32[Tensor, "vocabulary dimension"],
    weights: Float32[Tensor, " vocabulary"],
    batch: TokenBatch,
) -> Float32[Tensor, "texts dimension"]:
    """Sum the weighted rows of each text's tokens: the kernel on a CPU, else the reference."""
    if table.device.type != "cpu":
        return weighted_bag_reference(table, weights, batch)
    result: Tensor = _WeightedBag.apply(  # type: ignore[no-untyped-call]
        table, weights, batch.ids, batch.offsets
    )
    return result


def bag_of_rows(
    table: Float32[np.ndarray, "vocabulary dimension"],
    ids: Integer[np.ndarray, " tokens"],
    offsets: Int64[np.ndarray, " texts_plus_one"],
) -> Float32[np.ndarray, "texts dimension"]:
    """Sum the rows of each text's tokens, without gradients, for inference."""
    sums: np.ndarray = np.empty((len(offsets) - 1, table.shape[1]), dtype=np.float32)

    def work(first: int, last: int) -> None:
        bag = _count_tokens(ids, offsets[first : last + 1], table.shape[0])
        _gather_rows(table, *bag, sums[first:last], 0, last - first)

    in_threads(len(sums), work, at_least=ROWS_PER_TASK)
    return sums


class _WeightedBag(torch.autograd.Function):
    """The kernel with its gradients."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, weights: Tensor, ids: Tensor, offsets: Tensor) -> Tensor:
        columns, counts, starts = _count_tokens(ids.numpy(), offsets.numpy(), table.shape[0])
        coefficients = counts * weights.detach().numpy()[columns]
        sums = _gather(table.detach().contiguous().numpy(), columns, coefficients, starts)
        ctx.save_for_backward(table, weights)
        ctx.bag = (columns, counts, starts)
        return torch.from_numpy(sums)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        table, weights = ctx.saved_tensors
        texts, counts, starts = _transpose(*ctx.bag, table.shape[0])
        d_table = torch.empty_like(table)
        d_weights = torch.empty_like(weights)
        _scatter(
            (table.detach().contiguous().numpy(), weights.detach().numpy()),
            gradients[0].contiguous().numpy(),
            (texts, counts, starts),
            (d_table.numpy(), d_weights.numpy()),
        )
        return d_table, d_weights, None, None


def _gather(table: Any, columns: Any, coefficients: Any, starts: Any) -> Any:
    sums = np.empty((len(starts) - 1, table.shape[1]), dtype=np.float32)
    in_threads(
        len(sums),
        lambda a, b: _gather_rows(table, columns, coefficients, starts, sums, a, b),
        at_least=ROWS_PER_TASK,
    )
    return sums


def _scatter(parameters: Any, gradient: Any, bag: Any, out: Any) -> None:
    in_threads(
        len(parameters[0]),
        lambda a, b: _backward_rows(*parameters, gradient, *bag, *out, a, b),
        at_least=ROWS_PER_TASK,
    )


@njit(nogil=True)
@no_type_check
def _count_tokens(ids, offsets, vocabulary):
    n_texts = len(offsets) - 1
    tokens = offsets[n_texts] - offsets[0]
    columns = np.empty(tokens, np.int64)
    counts = np.empty(tokens, np.float32)
    starts = np.empty(n_texts + 1, np.int64)
    place = np.full(vocabulary, -1, np.int64)
    size = 0
    for text in range(n_texts):
        starts[text] = size
        for position in range(offsets[text], offsets[text + 1]):
            token = ids[position]
            if place[token] >= starts[text]:
                counts[place[token]] += np.float32(1)
            else:
                place[token] = size
                columns[size] = token
                counts[size] = np.float32(1)
                size += 1
    starts[n_texts] = size
    return columns[:size], counts[:size], starts


@njit(nogil=True)
@no_type_check
def _transpose(columns, counts, starts, vocabulary):
    bounds = np.zeros(vocabulary + 1, np.int64)
    for column in columns:
        bounds[column + 1] += 1
    for row in range(vocabulary):
        bounds[row + 1] += bounds[row]
    cursor = bounds[:-1].copy()
    texts = np.empty(len(columns), np.int64)
    values = np.empty(len(columns), np.float32)
    for text in range(len(starts) - 1):
        for position in range(starts[text], starts[text + 1]):
            place = cursor[columns[position]]
            texts[place] = text
            values[place] = counts[position]
            cursor[columns[position]] = place + 1
    return texts, values, bounds


@njit(nogil=True, fastmath={"contract"})
@no_type_check
def _add_rows(table, columns, coefficients, start, end, out):
    """Write sum_j coefficients[j] * table[columns[j]] into ``out``, four rows at a time."""
    out[:] = np.float32(0)
    j = start
    while j + 4 <= end:
        a, b, c, d = coefficients[j], coefficients[j + 1], coefficients[j + 2], coefficients[j + 3]
        row_a, row_b = table[columns[j]], table[columns[j + 1]]
        row_c, row_d = table[columns[j + 2]], table[columns[j + 3]]
        for k in range(len(out)):
            out[k] += a * row_a[k] + b * row_b[k] + c * row_c[k] + d * row_d[k]
        j += 4
    while j < end:
        a = coefficients[j]
        row_a = table[columns[j]]
        for k in range(len(out)):
            out[k] += a * row_a[k]
        j += 1


@njit(nogil=True)
@no_type_check
def _gather_rows(table, columns, coefficients, starts, sums, first, last):
    for text in range(first, last):
        _add_rows(table, columns, coefficients, starts[text], starts[text + 1], sums[text])


@njit(nogil=True, fastmath={"contract", "reassoc"})
@no_type_check
def _backward_rows(
    table, weights, gradient, texts, counts, starts, d_table, d_weights, first, last
):
    for token in range(first, last):
        out = d_table[token]
        _add_rows(gradient, texts, counts, starts[token], starts[token + 1], out)
        row = table[token]
        weight = weights[token]
        product = np.float32(0)
        for k in range(len(out)):
            product += row[k] * out[k]
            out[k] *= weight
        d_weights[token] = product
