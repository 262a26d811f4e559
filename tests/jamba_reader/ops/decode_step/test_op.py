"""The decoding step: single parts against the operations they join, and what is refused.

Whole models are compared with their layers in ``test_decode_step``.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from jamba_reader.ops.activation import GELU, SILU
from jamba_reader.ops.decode_step import operands
from jamba_reader.ops.decode_step.op import Step
from jamba_reader.ops.decode_step.operands import COLUMNS, Shape, kind_of
from jamba_reader.ops.experts.operands import ExpertWeights
from jamba_reader.ops.experts.reference import int8_linear_reference, routed_experts_reference
from jamba_reader.ops.gated_activation.reference import gated_activation
from jamba_reader.ops.rms_norm.reference import rms_norm
from spider.errors import DataError

EPS = 1e-5
HIDDEN, INTERMEDIATE, VOCABULARY, HEAD_DIM = 20, 13, 11, 4


def shape_of(rows: int = 3, **changes: Any) -> Shape:
    sizes: dict[str, Any] = {
        "rows": rows,
        "kind": kind_of(torch.float32),
        "hidden": HIDDEN,
        "inner": 24,
        "rank": 2,
        "states": 3,
        "window": 4,
        "queries": 4 * HEAD_DIM,
        "shared": 2 * HEAD_DIM,
        "intermediate": INTERMEDIATE,
        "experts": 4,
        "chosen": 2,
        "vocabulary": VOCABULARY,
        "activation": SILU,
    }
    return Shape(**{**sizes, **changes})


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


class Begun(NamedTuple):
    """A step, its stream and logits, and the stream as it was."""

    step: Step
    stream: Tensor
    logits: Tensor
    before: Tensor


def begin(shape: Shape) -> Begun:
    stream = drawn(shape.rows, HIDDEN)
    logits = torch.full((shape.rows, VOCABULARY), 7.0)
    step = Step(shape, HEAD_DIM, EPS, stream, logits)
    return Begun(step, stream, logits, stream.clone())


def table(*rows: dict[int, int]) -> np.ndarray:
    parts = np.zeros((len(rows), COLUMNS), np.int64)
    for place, row in enumerate(rows):
        for column, value in row.items():
            parts[place, column] = value
    return parts


def head(norm: Tensor, weight: Tensor) -> dict[int, int]:
    return {
        operands.PART: operands.HEAD,
        operands.NORM: norm.data_ptr(),
        operands.WEIGHT: weight.data_ptr(),
    }


@pytest.mark.parametrize("rows", [1, 5, 16])
def test_the_head_is_a_norm_and_a_product(rows: int) -> None:
    begun = begin(shape_of(rows))
    norm, weight = drawn(HIDDEN, seed=1), drawn(VOCABULARY, HIDDEN, seed=2)
    begun.step.run(table(head(norm, weight)), 0, 1)
    expected = rms_norm(begun.before, norm, EPS) @ weight.T
    torch.testing.assert_close(begun.logits, expected, rtol=1e-5, atol=1e-5)


def test_projections_before_attention() -> None:
    begun = begin(shape_of())
    norm = drawn(HIDDEN, seed=1)
    weights = [drawn(width, HIDDEN, seed=width) for width in (16, 8, 8)]
    columns = (operands.QUERY, operands.KEY, operands.VALUE)
    row = {operands.PART: operands.QUERY_KEY_VALUE, operands.NORM: norm.data_ptr()}
    row |= {at: weight.data_ptr() for at, weight in zip(columns, weights, strict=True)}
    begun.step.run(table(row), 0, 1)
    normed = rms_norm(begun.before, norm, EPS)
    found = begun.step.query, begun.step.key, begun.step.value
    for projected, weight in zip(found, weights, strict=True):
        expected = (normed @ weight.T).view(3, -1, HEAD_DIM)
        torch.testing.assert_close(projected, expected, rtol=1e-5, atol=1e-5)
    assert torch.equal(begun.stream, begun.before)


def test_the_projection_behind_attention_is_added_by_the_next_part() -> None:
    begun = begin(shape_of())
    norm, out, weight = (
        drawn(HIDDEN, seed=1),
        drawn(HIDDEN, 16, seed=2),
        drawn(VOCABULARY, HIDDEN, seed=3),
    )
    mixed = drawn(3, 4, HEAD_DIM, seed=4)
    begun.step.mixed = mixed
    output = {operands.PART: operands.ATTENTION_OUTPUT, operands.WEIGHT: out.data_ptr()}
    begun.step.run(table(output, head(norm, weight)), 0, 2)
    total = begun.before + mixed.flatten(1) @ out.T
    expected = rms_norm(total, norm, EPS) @ weight.T
    torch.testing.assert_close(begun.logits, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("activation", [SILU, GELU])
@pytest.mark.parametrize("int8", [False, True])
def test_a_dense_feed_forward_part(int8: bool, activation: int) -> None:
    begun = begin(shape_of(activation=activation))
    norms, weight = [drawn(HIDDEN, seed=seed) for seed in (1, 2)], drawn(VOCABULARY, HIDDEN)
    sizes = ((INTERMEDIATE, HIDDEN), (INTERMEDIATE, HIDDEN), (HIDDEN, INTERMEDIATE))
    if int8:
        weights = [(100 * drawn(*size, seed=size[0])).clamp(-127, 127).to(torch.int8)
                   for size in sizes]  # fmt: skip
    else:
        weights = [drawn(*size, seed=size[0]) for size in sizes]
    scales = [drawn(size[0], seed=9).abs() / 100 for size in sizes]
    row = {operands.PART: operands.DENSE, operands.NORM: norms[0].data_ptr()}
    columns = (operands.GATE, operands.UP, operands.DOWN)
    for at, matrix, scale in zip(columns, weights, scales, strict=True):
        row[at] = matrix.data_ptr()
        row[at + 1] = scale.data_ptr() if int8 else 0
    row[operands.WEIGHT_KIND] = kind_of(weights[0].dtype)  # type: ignore[assignment]
    begun.step.run(table(row, head(norms[1], weight)), 0, 2)

    def product(x: Tensor, number: int) -> Tensor:
        if int8:
            return int8_linear_reference(x, weights[number], scales[number])
        return x @ weights[number].T

    normed = rms_norm(begun.before, norms[0], EPS)
    gate_up = torch.cat([product(normed, 0), product(normed, 1)], 1)
    inner = gated_activation(gate_up, "silu" if activation == SILU else "gelu")
    expected = rms_norm(begun.before + product(inner, 2), norms[1], EPS) @ weight.T
    torch.testing.assert_close(begun.logits, expected, rtol=1e-5, atol=1e-5)


def test_experts_are_chosen_by_the_router_and_not_renormalised() -> None:
    shape = shape_of(rows=4)
    begun = begin(shape)
    norms, weight = [drawn(HIDDEN, seed=seed) for seed in (1, 2)], drawn(VOCABULARY, HIDDEN)
    router = drawn(4, HIDDEN, seed=3)
    experts = ExpertWeights(
        drawn(4, 2 * INTERMEDIATE, HIDDEN, seed=4), drawn(4, HIDDEN, INTERMEDIATE, seed=5)
    )
    row = {
        operands.PART: operands.EXPERTS,
        operands.NORM: norms[0].data_ptr(),
        operands.GATE: experts.gate_up.data_ptr(),
        operands.DOWN: experts.down.data_ptr(),
        operands.ROUTER: router.data_ptr(),
        operands.WEIGHT_KIND: shape.kind,
    }
    begun.step.run(table(row, head(norms[1], weight)), 0, 2)
    normed = rms_norm(begun.before, norms[0], EPS)
    chosen = (normed @ router.T).softmax(-1).topk(2)
    branch = routed_experts_reference(
        normed, experts, chosen.indices, chosen.values, activation="silu"
    )
    expected = rms_norm(begun.before + branch, norms[1], EPS) @ weight.T
    torch.testing.assert_close(begun.logits, expected, rtol=1e-5, atol=1e-5)


def test_no_parts_change_nothing() -> None:
    begun = begin(shape_of())
    parts = table(head(drawn(HIDDEN), drawn(VOCABULARY, HIDDEN)))
    for place in (0, 1):
        begun.step.run(parts, place, place)
    assert torch.equal(begun.stream, begun.before)
    assert (begun.logits == 7).all()


def test_only_the_parts_asked_for_run() -> None:
    """The others' addresses are not read: they are not even there."""
    begun = begin(shape_of())
    norm, weight = drawn(HIDDEN, seed=1), drawn(VOCABULARY, HIDDEN, seed=2)
    absent = {operands.PART: operands.DENSE}
    begun.step.run(table(absent, head(norm, weight), absent), 1, 2)
    expected = rms_norm(begun.before, norm, EPS) @ weight.T
    torch.testing.assert_close(begun.logits, expected, rtol=1e-5, atol=1e-5)


WRONG: dict[str, Callable[[Tensor], Tensor]] = {
    "width": lambda tensor: tensor[:, :-1].clone(),
    "rows": lambda tensor: tensor[:-1].clone(),
    "dtype": lambda tensor: tensor.bfloat16(),
    "unread dtype": lambda tensor: tensor.double(),
    "layout": lambda tensor: tensor.t().contiguous().t(),
    "device": lambda tensor: tensor.to("meta"),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", ["stream", "logits"])
def test_tensors_that_the_kernel_would_read_wrongly_are_refused(name: str, wrong: str) -> None:
    tensors = {"stream": torch.zeros(3, HIDDEN), "logits": torch.zeros(3, VOCABULARY)}
    tensors[name] = WRONG[wrong](tensors[name])
    with pytest.raises(DataError, match=rf"decode_step: {name} is .*, expected contiguous \(3, "):
        Step(shape_of(), HEAD_DIM, EPS, **tensors)


@pytest.mark.parametrize("wrong", [change for change in WRONG if change != "layout"])
def test_what_attention_returned_is_checked(wrong: str) -> None:
    step = begin(shape_of()).step
    step.mixed = WRONG[wrong](step.query)
    with pytest.raises(DataError, match=r"decode_step: mixed is .*\(3, 4, 4\)"):
        step.run(table({}), 0, 0)


@pytest.mark.parametrize(
    "parts", [np.zeros((2, COLUMNS), np.int32), np.zeros((2, 3), np.int64), np.zeros(3, np.int64)]
)
def test_a_table_of_another_form_is_refused(parts: np.ndarray) -> None:
    with pytest.raises(DataError, match=r"expected int64 \[parts, 20\]"):
        begin(shape_of()).step.run(parts, 0, 0)


@pytest.mark.parametrize(("first", "last"), [(-1, 1), (0, 3), (2, 1)])
def test_parts_that_are_not_there_are_refused(first: int, last: int) -> None:
    with pytest.raises(DataError, match=f"parts {first} to {last} of 2"):
        begin(shape_of()).step.run(table({}, {}), first, last)
