"""Products of a few rows with eight rows of a matrix, as fast as memory delivers the weights.

One row times a matrix does two operations per weight, so reading the weights takes the time. Four
or eight rows of the matrix are read side by side, and each weight is multiplied by up to four
inputs while it is in a register. Every sum is one chain of additions in sixteen lanes, whatever the
number of inputs. So a row's results do not depend on the rows that come with it. Sums are in
float32.

Where the processor has AVX512-BF16 (Zen 4, Cooper Lake and later), bfloat16 weights are multiplied
with bfloat16 inputs, two in a lane. The instruction takes numbers below 2**-126 for zero.
Elsewhere, and for int8 weights, both are widened.
"""

from collections.abc import Callable
from typing import Any, no_type_check

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from jamba_reader.ops.machine.rows import BFLOAT16, FLOAT32, bytes_of, read_one
from spider.compilation import njit
from spider.kernels.lanes import WIDTH, load_scalar, store_scalar
from spider.kernels.processor import PAIRS, has_feature

OUTPUTS = 8
"""Rows of the matrix in a tile."""


INPUTS = 4
"""Inputs that a tile is multiplied by at a time."""


_WIDE = 8 if has_feature("avx512f") else 4
"""Rows side by side in float32: with enough registers, eight are 8 to 25 % faster than four on rows
of 2 KiB, 7 % on 4 KiB."""


_NARROW = 4
"""In bfloat16, where eight are 10 to 20 % slower on rows of 1 KiB, and with int8 weights.
Both measured as in ``benchmarks/jamba/few_rows.py``, two cores of Zen 5."""


_FORESEEN = 8192
"""Bytes of four rows up to which prefetching the next four helps: with bfloat16 it took 8 to 12 %
off a step of a model with rows of 1 and 2 KiB; longer rows and float32 only got slower."""


_FLOATS = ir.VectorType(ir.FloatType(), WIDTH)


_INTEGERS = ir.VectorType(ir.IntType(32), WIDTH)


_INT64 = ir.IntType(64)


@no_type_check
def _load(builder, address, kind):
    """Sixteen numbers at an address, widened to float32; or 32 bfloat16 as they are, in pairs."""
    if kind == "float32":
        return builder.load(builder.inttoptr(address, _FLOATS.as_pointer()), align=4)
    if kind == "pairs":
        return builder.load(builder.inttoptr(address, PAIRS.as_pointer()), align=2)
    if kind == "int8":
        narrow = ir.VectorType(ir.IntType(8), WIDTH)
        value = builder.load(builder.inttoptr(address, narrow.as_pointer()), align=1)
        return builder.sitofp(builder.sext(value, _INTEGERS), _FLOATS)
    narrow = ir.VectorType(ir.IntType(16), WIDTH)
    value = builder.load(builder.inttoptr(address, narrow.as_pointer()), align=2)
    sixteen = ir.Constant(_INTEGERS, [ir.Constant(ir.IntType(32), 16)] * WIDTH)
    return builder.bitcast(builder.shl(builder.zext(value, _INTEGERS), sixteen), _FLOATS)


@no_type_check
def _multiply_add(builder, total, weight, value, kind):
    """``total + weight * value``, in each lane one product or two."""
    name, arguments = "llvm.fmuladd.v16f32", [weight, value, total]
    if kind == "pairs":
        name, arguments = "llvm.x86.avx512bf16.dpbf16ps.512", [total, weight, value]
    wanted = ir.FunctionType(_FLOATS, [argument.type for argument in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, wanted, name), arguments)


@no_type_check
def _shuffle(builder, first, second, order):
    """Lanes of two vectors, those of the second from 16 on, in this order."""
    places = [ir.Constant(ir.IntType(32), place) for place in order]
    vector = ir.VectorType(ir.IntType(32), len(places))
    return builder.shuffle_vector(first, second, ir.Constant(vector, places))


@no_type_check
def _sums_of_lanes(builder, totals):
    """Sums of the lanes of some vectors, a lane each: halves onto each other, side by side."""
    width, count = WIDTH, len(totals)
    while len(totals) > 1:
        width //= 2
        joined = []
        for first, second in zip(totals[::2], totals[1::2], strict=True):
            # each already holds several vectors, in pieces twice as long as after this step
            lows = [at for at in range(2 * WIDTH) if at % (2 * width) < width]
            highs = [at for at in range(2 * WIDTH) if at % (2 * width) >= width]
            low, high = (_shuffle(builder, first, second, order) for order in (lows, highs))
            joined.append(builder.fadd(low, high))
        totals = joined
    total = totals[0]
    while width > 1:
        width //= 2
        total = builder.fadd(
            total, _shuffle(builder, total, total, [lane ^ width for lane in range(WIDTH)])
        )
    return _shuffle(builder, total, total, range(0, WIDTH, WIDTH // count))


@no_type_check
def _prefetch(builder, address):
    """Ask for the cache line at an address, which need not exist."""
    byte, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
    wanted = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
    function = cgutils.get_or_insert_function(builder.module, wanted, "llvm.prefetch.p0")
    builder.call(function, [builder.inttoptr(address, byte), flag(0), flag(3), flag(1)])


@intrinsic
@no_type_check
def sums_on_stack(typing_context):
    """Address of ``[INPUTS, OUTPUTS]`` float32 that live as long as the calling function runs."""

    def generate(context, builder, kind, operands):
        place = cgutils.alloca_once(builder, ir.ArrayType(_FLOATS, INPUTS * OUTPUTS // WIDTH))
        return builder.ptrtoint(place, _INT64)

    return types.int64(), generate


_BYTES = {"float32": 4, "bfloat16": 2, "pairs": 2, "int8": 1}


def _products(weight_kind: str, input_kind: str, outputs: int, inputs: int) -> Callable[..., Any]:
    """Make the inner loop for some rows and inputs; unrolled here, so that sums are registers."""

    @no_type_check
    def generate(context, builder, signature, operands):
        row, between, last, start, stride, length, sums = operands
        rows = [row]
        while len(rows) < outputs:
            following = builder.add(rows[-1], between)
            beyond = builder.icmp_unsigned(">", following, last)
            rows.append(builder.select(beyond, last, following))
        values = [builder.add(start, builder.mul(stride, _INT64(i))) for i in range(inputs)]
        zero = ir.Constant(_FLOATS, [ir.Constant(ir.FloatType(), 0.0)] * WIDTH)
        totals = [cgutils.alloca_once_value(builder, zero) for _ in range(inputs * outputs)]
        # allocated once for the function, set each time
        for total in totals:
            builder.store(zero, total)
        step = 2 * WIDTH if weight_kind == "pairs" else WIDTH
        # the next four rows, if they are so short that the processor does not prefetch them
        ahead = builder.mul(between, _INT64(outputs))
        short = builder.icmp_signed("<=", ahead, _INT64(_FORESEEN))
        ahead = builder.select(short, ahead, _INT64(0))
        with cgutils.for_range_slice(builder, _INT64(0), length, _INT64(step), _INT64) as (at, _):

            def offset(kind, at=at):
                return builder.mul(at, _INT64(_BYTES[kind]))

            there = offset(input_kind)
            loaded = [_load(builder, builder.add(value, there), input_kind) for value in values]
            for output, row in enumerate(rows):
                weight = _load(builder, builder.add(row, offset(weight_kind)), weight_kind)
                if weight_kind == "pairs":
                    _prefetch(builder, builder.add(builder.add(row, ahead), offset(weight_kind)))
                for i, value in enumerate(loaded):
                    total = totals[i * outputs + output]
                    added = _multiply_add(builder, builder.load(total), weight, value, weight_kind)
                    builder.store(added, total)
        found_type = ir.VectorType(ir.FloatType(), outputs).as_pointer()
        for i in range(inputs):
            found = [builder.load(total) for total in totals[i * outputs : (i + 1) * outputs]]
            place = builder.inttoptr(builder.add(sums, _INT64(4 * OUTPUTS * i)), found_type)
            builder.store(_sums_of_lanes(builder, found), place, align=4)
        return context.get_dummy_value()

    @intrinsic
    @no_type_check
    def products(typing_context, row, between, last, start, stride, length, sums):
        """``sums[i, n] = <row n, input i>`` over ``length`` numbers, whole steps only."""
        return types.void(*[types.int64] * 7), generate

    return products  # type: ignore[no-any-return]


_PAIRED = "pairs" if has_feature("avx512bf16") else "bfloat16"


_float32_1, _float32_2 = (_products("float32", "float32", _WIDE, n) for n in (1, 2))


_bfloat16_1, _bfloat16_2, _bfloat16_4 = (_products(_PAIRED, _PAIRED, _NARROW, n) for n in (1, 2, 4))


_int8_float32_1, _int8_float32_2, _int8_float32_4 = (
    _products("int8", "float32", _NARROW, n) for n in (1, 2, 4)
)


_int8_bfloat16_1, _int8_bfloat16_2, _int8_bfloat16_4 = (
    _products("int8", "bfloat16", _NARROW, n) for n in (1, 2, 4)
)


_STEP = 2 * WIDTH


@njit
@no_type_check
def _for_one(kind, value_kind, row, between, last, start, stride, length, sums):
    if kind == BFLOAT16:
        _bfloat16_1(row, between, last, start, stride, length, sums)
    elif value_kind == FLOAT32:
        _int8_float32_1(row, between, last, start, stride, length, sums)
    else:
        _int8_bfloat16_1(row, between, last, start, stride, length, sums)


@njit
@no_type_check
def _for_two(kind, value_kind, row, between, last, start, stride, length, sums):
    if kind == BFLOAT16:
        _bfloat16_2(row, between, last, start, stride, length, sums)
    elif value_kind == FLOAT32:
        _int8_float32_2(row, between, last, start, stride, length, sums)
    else:
        _int8_bfloat16_2(row, between, last, start, stride, length, sums)


@njit
@no_type_check
def _for_four(kind, value_kind, row, between, last, start, stride, length, sums):
    if kind == BFLOAT16:
        _bfloat16_4(row, between, last, start, stride, length, sums)
    elif value_kind == FLOAT32:
        _int8_float32_4(row, between, last, start, stride, length, sums)
    else:
        _int8_bfloat16_4(row, between, last, start, stride, length, sums)


@njit
@no_type_check
def _by_float32(row, between, last, start, stride, length, count, sums):
    """Multiply some rows; the sums of two inputs and their operands fill the registers."""
    for i in range(0, count - 1, 2):
        target = sums + 4 * OUTPUTS * i
        _float32_2(row, between, last, start + i * stride, stride, length, target)
    if count % 2:
        target = sums + 4 * OUTPUTS * (count - 1)
        _float32_1(row, between, last, start + (count - 1) * stride, stride, length, target)


@njit
@no_type_check
def _by_narrow(kind, value_kind, row, between, last, start, stride, length, count, sums):
    """Multiply four rows."""
    if count == INPUTS:
        _for_four(kind, value_kind, row, between, last, start, stride, length, sums)
        return
    if count >= 2:
        _for_two(kind, value_kind, row, between, last, start, stride, length, sums)
    if count % 2:
        target = sums + 4 * OUTPUTS * (count - 1)
        place = start + (count - 1) * stride
        _for_one(kind, value_kind, row, between, last, place, stride, length, target)


@njit
@no_type_check
def _add_rest(kind, value_kind, row, value, first, last, place):
    """Add the products behind the last whole step, one by one."""
    total = load_scalar(place)
    for i in range(first, last):
        total += read_one(row, i, kind) * read_one(value, i, value_kind)
    store_scalar(place, total)


@njit
@no_type_check
def tile_products(matrix, first, values, start, count, sums):
    """Write ``sums[i, n] = <matrix[first + n], values[start + i]>``, ``[count, OUTPUTS]`` float32.

    Args:
        matrix: a ``Matrix``; beyond its end its last row is taken again, which the caller drops.
        first: row of the matrix.
        values: ``Rows`` of the matrix's kind; of float32 or bfloat16 where that is int8.
        start: first input.
        count: inputs, at most ``INPUTS``.
        sums: address of ``sums_on_stack``.
    """
    length = matrix.columns
    between = bytes_of(matrix.kind) * length
    last = matrix.address + between * (matrix.rows - 1)
    row = matrix.address + between * first
    stride = values.stride * bytes_of(values.kind)
    place = values.address + stride * start
    whole = length // _STEP * _STEP
    kind, value_kind = matrix.kind, values.kind
    if kind == FLOAT32:
        for n in range(0, OUTPUTS, _WIDE):
            part = min(row + n * between, last)
            _by_float32(part, between, last, place, stride, whole, count, sums + 4 * n)
    else:
        for n in range(0, OUTPUTS, _NARROW):
            part = min(row + n * between, last)
            target = sums + 4 * n
            _by_narrow(kind, value_kind, part, between, last, place, stride, whole, count, target)
    if whole < length:
        for i in range(count):
            for n in range(OUTPUTS):
                part = min(row + n * between, last)
                target = sums + 4 * (i * OUTPUTS + n)
                _add_rest(kind, value_kind, part, place + i * stride, whole, length, target)
