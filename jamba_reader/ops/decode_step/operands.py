"""Operands of a decoding step: the table of the model's parts, its sizes, and the buffers.

A *part* is a norm with its branch, or a piece of a branch: a Mamba mixer, the projections before
attention, the one behind it, a feed-forward part, the head. The table holds addresses, a row per
part; the constants below name its columns.
"""

from typing import NamedTuple

import torch

from jamba_reader.ops.machine.operands import KINDS

MAMBA, QUERY_KEY_VALUE, ATTENTION_OUTPUT, DENSE, EXPERTS, HEAD = range(6)
"""Kinds of parts; in column ``PART``."""

PART, NORM = 0, 1
IN, IN_BIAS, CONV, CONV_BIAS, X, DT_NORM, B_NORM, C_NORM = range(2, 10)
DT, DT_BIAS, DECAY, SKIP, OUT, OUT_BIAS = range(10, 16)
"""Columns of a Mamba mixer; its states are columns too, filled for each token."""
STATE, HISTORY, NEW_STATE, NEW_HISTORY = range(16, 20)
QUERY, KEY, VALUE = range(2, 5)
"""Columns of the projections before attention."""
WEIGHT = 2
"""Column of the projection behind attention, and of the head."""
GATE, GATE_SCALE, UP, UP_SCALE, DOWN, DOWN_SCALE, ROUTER, WEIGHT_KIND = range(2, 10)
"""Columns of a feed-forward part; experts have gate and up in one stack, at ``GATE``."""
COLUMNS = 20

MULTIPLY, ENTER, SCAN, OPEN_GATE, EXPERT_GATE, EXPERT_RETURN = range(6)
"""Kinds of jobs; in word ``JOB``. ``PLACE`` is the row of the part that the job belongs to."""
JOB, PLACE = 0, 1
MATRIX, MATRIX_ROWS, MATRIX_COLUMNS, MATRIX_KIND, MATRIX_SCALE, BIAS = range(2, 8)
SOURCE, SOURCE_STRIDE, TARGET, TARGET_STRIDE = range(8, 12)
"""Words of ``MULTIPLY``; the other jobs find what they need in their part."""
JOB_WORDS = 12


class Shape(NamedTuple):
    """Sizes of the model, and how many tokens there are.

    Attributes:
        rows: tokens, one of each sequence.
        kind: the kind of weights and activations in memory.
        hidden: width of the residual stream.
        inner: channels of a Mamba mixer.
        rank: the rank of its time step.
        states: the number of states of a channel.
        window: taps of its convolution.
        queries: width of all query heads.
        shared: width of all key heads.
        intermediate: width of a feed-forward part.
        experts: number of experts.
        chosen: experts of a token.
        vocabulary: number of logits.
        activation: code of the activation.
    """

    rows: int
    kind: int
    hidden: int
    inner: int
    rank: int
    states: int
    window: int
    queries: int
    shared: int
    intermediate: int
    experts: int
    chosen: int
    vocabulary: int
    activation: int


class Buffers(NamedTuple):
    """Addresses of the tensors between jobs, a row per token, in the model's dtype.

    Attributes:
        stream: the residual stream.
        branch: to be added to the stream.
        normed: input of a branch.
        inputs: the inputs of the scan, after the convolution.
        gate: the gate of the scan's outputs.
        small: time step, B and C, side by side.
        dt: time step of each channel.
        scanned: outputs of the scan.
        active: inner activations of a feed-forward part, a row per token or pair.
        copies: input of each pair of token and expert.
        query: queries before attention.
        key: keys before attention.
        value: values before attention.
        mixed: what attention returned.
        logits: the logits of the head.
    """

    stream: int
    branch: int
    normed: int
    inputs: int
    gate: int
    small: int
    dt: int
    scanned: int
    active: int
    copies: int
    query: int
    key: int
    value: int
    mixed: int
    logits: int


def kind_of(dtype: torch.dtype) -> int | None:
    """Return the number by which kernels know a dtype; None if they cannot read it."""
    return KINDS.get(dtype)
