"""Products of tiles by AMX: sixteen rows of 32 bfloat16 numbers, summed in float32.

A tile register holds sixteen rows of 64 bytes. The tile registers are configured once for each
thread and call. ``multiply`` computes 32 rows times 32 columns with all eight registers: four sums,
two tiles of the left matrix and two of the right one. Every sum is one chain over the inner
dimension, so a row's result does not depend on the rows beside it.

A float32 number is the sum of two bfloat16 numbers, to 2**-17 of its size: its rounded value and
the rounded rest. ``multiply_split`` adds three products of these parts; the fourth is below what
float32 products lose anyway. Measured on one core: 1,200 GFLOP/s, so 400 for split numbers, where
float32 products of oneDNN reach 80 to 170.

Everything here is called from other ``@njit`` functions only. LLVM knows nothing of the registers'
contents between two calls, and no other code of ours uses tiles.
"""

from typing import no_type_check

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spider.kernels.lanes import WIDTH, lanes
from spider.kernels.processor import PAIRS

TILE = 1024
"""Bytes of a tile: sixteen rows of 64."""
SIDE = 32
"""Rows and columns of one product."""

_INT8 = ir.IntType(8)
_INT64 = ir.IntType(64)
_BYTE = _INT8.as_pointer()
_FLOATS = ir.VectorType(ir.FloatType(), WIDTH)
_HALVES = ir.VectorType(PAIRS.element, WIDTH)
_WORDS = ir.VectorType(ir.IntType(16), WIDTH)


@no_type_check
def _call(builder, name, *arguments):
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    builder.call(
        cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.{name}"), arguments
    )


@intrinsic
@no_type_check
def set_configuration(typing_context, address):
    """Configure the tile registers from 64 bytes."""

    def generate(context, builder, kind, operands):
        _call(builder, "ldtilecfg", builder.inttoptr(operands[0], _BYTE))
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic
@no_type_check
def save_configuration(typing_context, address):
    """Write the present configuration, 64 bytes.

    oneDNN remembers in each thread how it has configured the registers. So the thread that torch
    uses too must find them as they were.
    """

    def generate(context, builder, kind, operands):
        _call(builder, "sttilecfg", builder.inttoptr(operands[0], _BYTE))
        return context.get_dummy_value()

    return types.void(types.int64), generate


def _multiply(split: bool):  # type: ignore[no-untyped-def]
    """Make the product of 32 rows and 32 columns."""

    @no_type_check
    def generate(context, builder, signature, operands):
        a, a_half, a_stride, a_step, a_plane, b, b_half, steps, c, c_stride = operands
        b_step = _INT64(2 * TILE if split else TILE)
        row = _INT64(64)

        def load(register, place, stride):
            _call(builder, "tileloadd64", _INT8(register), builder.inttoptr(place, _BYTE), stride)

        def add(total, left, right):
            _call(builder, "tdpbf16ps", _INT8(total), _INT8(left), _INT8(right))

        # loads stand between products: a register is loaded while others are multiplied
        def first_products(left, right):
            load(4, left, a_stride)
            load(6, right, row)
            add(0, 4, 6)
            load(7, builder.add(right, b_half), row)
            add(1, 4, 7)
            load(5, builder.add(left, a_half), a_stride)
            add(2, 5, 6)
            add(3, 5, 7)

        def products_with_rests(left, right):
            # registers 5, 6 and 7 hold the second sixteen rows and the columns
            rest = builder.add(right, _INT64(TILE))
            load(4, builder.add(left, a_plane), a_stride)
            add(0, 4, 6)
            add(1, 4, 7)
            load(4, builder.add(builder.add(left, a_plane), a_half), a_stride)
            add(2, 4, 6)
            load(6, rest, row)
            add(3, 4, 7)
            load(7, builder.add(rest, b_half), row)
            add(2, 5, 6)
            load(4, left, a_stride)
            add(3, 5, 7)
            add(0, 4, 6)
            add(1, 4, 7)

        for total in range(4):
            _call(builder, "tilezero", _INT8(total))
        with cgutils.for_range(builder, steps) as loop:
            left = builder.add(a, builder.mul(loop.index, a_step))
            right = builder.add(b, builder.mul(loop.index, b_step))
            first_products(left, right)
            if split:
                products_with_rests(left, right)
        for total in range(4):
            offset = builder.mul(c_stride, _INT64(16 * (total // 2)))
            place = builder.add(c, builder.add(offset, _INT64(64 * (total % 2))))
            _call(builder, "tilestored64", _INT8(total), builder.inttoptr(place, _BYTE), c_stride)
        return context.get_dummy_value()

    @intrinsic
    @no_type_check
    def multiply(
        typing_context, a, a_half, a_stride, a_step, a_plane, b, b_half, steps, c, c_stride
    ):
        return types.void(*[types.int64] * 10), generate

    return multiply


multiply = _multiply(split=False)
"""Write 32 by 32 sums at ``c``. Tiles of the left matrix: rows ``a_stride`` bytes apart, the second
sixteen rows ``a_half`` further, the next 32 of the inner dimension ``a_step`` further."""

multiply_split = _multiply(split=True)
"""The same of split numbers: the rests are ``a_plane`` further, and behind each tile of ``b``."""


@intrinsic
@no_type_check
def store_rounded(typing_context, address, value):
    """Write sixteen bfloat16 with the processor's own rounding, to the nearest."""

    def generate(context, builder, kind, operands):
        place = builder.inttoptr(operands[0], _HALVES.as_pointer())
        builder.store(builder.fptrunc(operands[1], _HALVES), place, align=2)
        return context.get_dummy_value()

    return types.void(types.int64, lanes), generate


@intrinsic
@no_type_check
def rest_of_rounding(typing_context, value):
    """What is lost when the lanes are rounded to bfloat16."""

    def generate(context, builder, kind, operands):
        rounded = builder.fpext(builder.fptrunc(operands[0], _HALVES), _FLOATS)
        return builder.fsub(operands[0], rounded)

    return lanes(lanes), generate


@intrinsic
@no_type_check
def largest_of_lanes(typing_context, value):
    """The largest lane."""

    def generate(context, builder, kind, operands):
        name = "llvm.vector.reduce.fmax.v16f32"
        wanted = ir.FunctionType(ir.FloatType(), [_FLOATS])
        function = cgutils.get_or_insert_function(builder.module, wanted, name)
        return builder.call(function, operands)

    return types.float32(lanes), generate


@intrinsic
@no_type_check
def interleave(typing_context, destination, first, second):
    """Write sixteen pairs of 16-bit numbers, one of each from either place."""

    def generate(context, builder, kind, operands):
        target, *places = operands
        values = [
            builder.load(builder.inttoptr(place, _WORDS.as_pointer()), align=2) for place in places
        ]
        order = [place for lane in range(WIDTH) for place in (lane, WIDTH + lane)]
        places = ir.Constant(ir.VectorType(ir.IntType(32), 2 * WIDTH), order)
        pairs = builder.shuffle_vector(*values, places)
        builder.store(pairs, builder.inttoptr(target, pairs.type.as_pointer()), align=2)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
@no_type_check
def copy_word(typing_context, destination, source):
    """Copy four bytes."""

    def generate(context, builder, kind, operands):
        target, origin = (builder.inttoptr(at, ir.IntType(32).as_pointer()) for at in operands)
        builder.store(builder.load(origin, align=4), target, align=4)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate
