"""What prompt attention does with one block of keys and 64 queries of a head, in numba.

Queries are in lanes, four rows of lanes to a *strip*: scores are ``[keys, strip]``, sums of
values ``[head_dim, strip]``. A softmax's maximum and sum then need no step across lanes, keys are
read as they lie, and both products are the same loop: scalars of a matrix, each spread over the
lanes, times strips. Memory is named by addresses: see ``lanes``.

bfloat16 goes through the processor's own products of pairs (AVX512-BF16), sums in float32; a
strip's lane then holds two neighbouring numbers of the dimension that is summed over.
"""

from collections.abc import Callable
from typing import Any, no_type_check

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spider.compilation import njit
from spider.kernels.lane_math import exp2, exp2_or_zero
from spider.kernels.lanes import (
    LANES_BYTES,
    WIDTH,
    broadcast,
    copy_bytes,
    fma,
    load,
    maximum,
    store,
    store_bfloat16,
    store_scalar,
    where_negative,
)
from spider.kernels.processor import PAIRS, has_feature

QUERIES = 64
STRIP = 4 * QUERIES
"""Bytes of a strip."""
KEYS = 64
"""Of a block."""
LOWEST = np.float32(-3e38)
"""Where maxima begin: minus infinity minus itself would be NaN. Scores that are hidden are minus
infinity: of a query that sees no finite score, all weights are 0, and the output is NaN."""
_HIDDEN = np.float32(-np.inf)

_ROWS = 4
_VECTORS = QUERIES // WIDTH
_FLOATS = ir.VectorType(ir.FloatType(), WIDTH)
_INTEGERS = ir.VectorType(ir.IntType(32), WIDTH)
_HALVES = ir.VectorType(ir.IntType(16), WIDTH)
_INT64 = ir.IntType(64)


@no_type_check
def _at(builder, address, kind):
    return builder.inttoptr(address, kind.as_pointer())


@no_type_check
def _spread(builder, address, kind):
    """Load four bytes into every lane."""
    number = ir.IntType(32) if kind == PAIRS else ir.FloatType()
    row = ir.VectorType(number, WIDTH)
    value = builder.load(_at(builder, address, number), align=2)
    first = builder.insert_element(ir.Constant(row, ir.Undefined), value, ir.IntType(32)(0))
    spread = builder.shuffle_vector(first, first, ir.Constant(_INTEGERS, [0] * WIDTH))
    return builder.bitcast(spread, PAIRS) if kind == PAIRS else spread


def _tile(pairs: bool, decayed: bool) -> Callable[..., Any]:
    """Make the loop over the dimension that is summed; 16 sums in registers."""
    kind = PAIRS if pairs else _FLOATS
    arguments = [_FLOATS, PAIRS, PAIRS] if pairs else [_FLOATS] * 3
    name = "llvm.x86.avx512bf16.dpbf16ps.512" if pairs else "llvm.fmuladd.v16f32"

    @no_type_check
    def generate(context, builder, signature, operands):
        left, row_stride, step, strips, depth, decays, target = operands
        function_type = ir.FunctionType(_FLOATS, arguments)
        function = cgutils.get_or_insert_function(builder.module, function_type, name)

        def moved(address, offset):
            return builder.add(address, _INT64(offset))

        sums = {}
        for row in range(_ROWS):
            for vector in range(_VECTORS):
                value = ir.Constant(_FLOATS, [ir.Constant(ir.FloatType(), 0.0)] * WIDTH)
                if decayed:
                    place = moved(target, row * STRIP + vector * LANES_BYTES)
                    decay = moved(decays, vector * LANES_BYTES)
                    value = builder.fmul(
                        builder.load(_at(builder, place, _FLOATS), align=4),
                        builder.load(_at(builder, decay, _FLOATS), align=4),
                    )
                sums[row, vector] = cgutils.alloca_once(builder, _FLOATS)
                builder.store(value, sums[row, vector])
        with cgutils.for_range(builder, depth, intp=_INT64) as loop:
            strip = builder.add(strips, builder.mul(loop.index, _INT64(STRIP)))
            rights = [
                builder.load(_at(builder, moved(strip, vector * LANES_BYTES), kind), align=4)
                for vector in range(_VECTORS)
            ]
            place = builder.add(left, builder.mul(loop.index, step))
            for row in range(_ROWS):
                scalar = _spread(builder, place, kind)
                place = builder.add(place, row_stride)
                for vector, right in enumerate(rights):
                    total = builder.load(sums[row, vector])
                    factors = (total, scalar, right) if pairs else (scalar, right, total)
                    builder.store(builder.call(function, factors), sums[row, vector])
        for (row, vector), total in sums.items():
            place = moved(target, row * STRIP + vector * LANES_BYTES)
            builder.store(builder.load(total), _at(builder, place, _FLOATS), align=4)
        return context.get_dummy_value()

    @intrinsic
    @no_type_check
    def tile(typing_context, left, row_stride, step, strips, depth, decays, target):
        """Four strips of ``target = target * decays + left @ strips``; without decays from 0.

        Row i and depth p of ``left`` are the four bytes at ``left + i * row_stride + p * step``.
        """
        return types.void(*[types.int64] * 7), generate

    return tile  # type: ignore[no-any-return]


# they are compiled also where the processor lacks the instruction, but never called there
_HAS_PAIRS = has_feature("avx512bf16")
_scores_of_pairs, _sums_of_pairs = _tile(_HAS_PAIRS, False), _tile(_HAS_PAIRS, True)
_scores, _sums = _tile(False, False), _tile(False, True)


@intrinsic
@no_type_check
def _store_paired(typing_context, target, first, second):
    """Store sixteen pairs of bfloat16, the nearest to two rows of lanes; ties go up."""

    def generate(context, builder, signature, operands):
        half = ir.Constant(_INTEGERS, [ir.IntType(32)(0x8000)] * WIDTH)
        top = ir.Constant(_INTEGERS, [ir.IntType(32)(-0x10000)] * WIDTH)
        sixteen = ir.Constant(_INTEGERS, [ir.IntType(32)(16)] * WIDTH)
        low, high = (
            builder.add(builder.bitcast(operand, _INTEGERS), half) for operand in operands[1:]
        )
        both = builder.or_(builder.lshr(low, sixteen), builder.and_(high, top))
        builder.store(both, _at(builder, operands[0], _INTEGERS), align=4)
        return context.get_dummy_value()

    return types.void(types.int64, first, second), generate


@intrinsic
@no_type_check
def _interleave(typing_context, target, first, second):
    """Store the pairs of sixteen bfloat16 at one address with sixteen at another."""

    def generate(context, builder, signature, operands):
        low, high = (
            builder.zext(builder.load(_at(builder, operand, _HALVES), align=2), _INTEGERS)
            for operand in operands[1:]
        )
        sixteen = ir.Constant(_INTEGERS, [ir.IntType(32)(16)] * WIDTH)
        both = builder.or_(low, builder.shl(high, sixteen))
        builder.store(both, _at(builder, operands[0], _INTEGERS), align=4)
        return context.get_dummy_value()

    return types.void(*[types.int64] * 3), generate


@njit(error_model="numpy")
@no_type_check
def turn_queries(source, stride, count, numbers, target):
    """Bring ``count`` rows of ``numbers`` times four bytes into as many strips; zeros behind."""
    for number in range(numbers):
        place = target + number * STRIP
        for query in range(count):
            copy_bytes(place + 4 * query, source + query * stride + 4 * number, 4)
        for query in range(count, QUERIES):
            store_scalar(place + 4 * query, np.float32(0))


@njit(error_model="numpy")
@no_type_check
def score(pairs, keys, stride, rows, numbers, queries, scores):
    """``scores = keys @ queries`` for ``rows`` keys, a multiple of four."""
    for row in range(0, rows, _ROWS):
        left, target = keys + row * stride, scores + row * STRIP
        if pairs:
            _scores_of_pairs(left, stride, 4, queries, numbers, 0, target)
        else:
            _scores(left, stride, 4, queries, numbers, 0, target)


@njit(error_model="numpy")
@no_type_check
def hide_later(scores, rows, lead, places):
    """Hide from each query the keys behind it; the block's first is ``lead`` behind the first.

    ``places`` are the numbers of the queries, as float32.
    """
    for row in range(rows):
        if lead + row <= 0:
            continue
        for offset in range(0, STRIP, LANES_BYTES):
            target = scores + row * STRIP + offset
            seen = load(places + offset) - broadcast(np.float32(lead + row))
            store(target, where_negative(seen, broadcast(_HIDDEN), load(target)))


@njit(error_model="numpy")
@no_type_check
def exponentiate(pairs, scores, rows, factor, tops, totals, decays, weights):
    """Turn scores into ``weights = 2**(factor * score - top)``; move maxima and sums on.

    Leaves in ``decays`` what earlier sums have to be multiplied by. ``rows`` is a multiple of four.
    """
    scale = broadcast(factor)
    for offset in range(0, STRIP, LANES_BYTES):
        highest = load(scores + offset)
        for row in range(1, rows):
            highest = maximum(load(scores + row * STRIP + offset), highest)
        old = load(tops + offset)
        top = maximum(highest * scale, old)
        decay = exp2(old - top)
        total = load(totals + offset) * decay
        negative = broadcast(np.float32(0)) - top
        for row in range(0, rows, 2):
            place = scores + row * STRIP + offset
            first = exp2_or_zero(fma(load(place), scale, negative))
            second = exp2_or_zero(fma(load(place + STRIP), scale, negative))
            total = total + (first + second)
            if pairs:
                _store_paired(weights + row // 2 * STRIP + offset, first, second)
            else:
                store(weights + row * STRIP + offset, first)
                store(weights + (row + 1) * STRIP + offset, second)
        store(tops + offset, top)
        store(totals + offset, total)
        store(decays + offset, decay)


@njit(error_model="numpy")
@no_type_check
def pair_values(values, stride, rows, head_dim, target):
    """Bring an even number of rows of bfloat16 into rows of pairs of neighbouring keys."""
    for row in range(0, rows, 2):
        source, place = values + row * stride, target + 2 * row * head_dim
        for d in range(0, head_dim, WIDTH):
            _interleave(place + 4 * d, source + 2 * d, source + stride + 2 * d)


@njit(error_model="numpy")
@no_type_check
def pad_rows(source, stride, rows, wanted, size, target):
    """Copy rows of ``size`` bytes, a multiple of four; zeros in those behind the last."""
    for row in range(rows):
        copy_bytes(target + row * size, source + row * stride, size)
    for place in range(target + rows * size, target + wanted * size, 4):
        store_scalar(place, np.float32(0))


@njit(error_model="numpy")
@no_type_check
def add_values(pairs, values, stride, depth, head_dim, decays, weights, sums):
    """``sums = sums * decays + values.T @ weights``."""
    for d in range(0, head_dim, _ROWS):
        left, target = values + 4 * d, sums + d * STRIP
        if pairs:
            _sums_of_pairs(left, 4, stride, weights, depth, decays, target)
        else:
            _sums(left, 4, stride, weights, depth, decays, target)


@njit(error_model="numpy")
@no_type_check
def write_outputs(sums, totals, head_dim, count, item_size, target, stride):
    """Divide by the softmax's sums, and bring strips back into rows of float32 or bfloat16."""
    one = broadcast(np.float32(1))
    for d in range(head_dim):
        row = sums + d * STRIP
        for offset in range(0, STRIP, LANES_BYTES):
            value = load(row + offset) * (one / load(totals + offset))
            if item_size == 2:
                store_bfloat16(row + offset // 2, value)
            else:
                store(row + offset, value)
    for query in range(count):
        place = target + query * stride
        for d in range(head_dim):
            if item_size == 2:
                copy_bytes(place + 2 * d, sums + d * STRIP + 2 * query, 2)
            else:
                copy_bytes(place + 4 * d, sums + d * STRIP + 4 * query, 4)


@njit(error_model="numpy")
@no_type_check
def number_queries(places):
    """Write 0, 1 … as float32."""
    for query in range(QUERIES):
        store_scalar(places + 4 * query, np.float32(query))


@njit(error_model="numpy")
@no_type_check
def fill(place, count, value):
    """Set ``count`` rows of lanes to one number."""
    for row in range(count):
        store(place + row * LANES_BYTES, broadcast(value))
