"""Sixteen float32 side by side as one numba value, for loops that must stay in vector registers.

numba's vectoriser keeps the states of a recurrence in memory; a value of type ``Lanes`` is LLVM's
``<16 x float>`` and lives in a register: one of AVX-512, two of AVX, four of NEON. The operators
are element-wise; where LLVM has no portable instruction, a polynomial is used. Memory is
given by addresses (int64) in bytes: a tensor's ``data_ptr`` plus an offset. So any strides will
do, and one compiled function serves every layout.

Everything here is called from other ``@njit`` functions only.
"""

import operator
from typing import no_type_check

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

WIDTH = 16
LANES_BYTES = 64


class _LanesType(types.Type):  # type: ignore[misc]
    """The numba type of sixteen float32."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


lanes = _LanesType()
_FLOATS = ir.VectorType(ir.FloatType(), WIDTH)
_INTEGERS = ir.VectorType(ir.IntType(32), WIDTH)
_HALVES = ir.VectorType(ir.IntType(16), WIDTH)


_INT32 = ir.IntType(32)
_INT16 = ir.IntType(16)


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    @no_type_check
    def __init__(self, manager, kind):
        super().__init__(manager, kind, _FLOATS)


class _Binary(ConcreteTemplate):  # type: ignore[misc]
    cases = [signature(lanes, lanes, lanes)]  # noqa: RUF012


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):

    @lower_builtin(_operation, lanes, lanes)
    @no_type_check
    def _lower(context, builder, kind, operands, instruction=_instruction):
        return getattr(builder, instruction)(*operands)

    infer_global(_operation)(_Binary)


@no_type_check
def _splat(value, kind):
    """The vector ``kind`` of one constant."""
    return ir.Constant(kind, [ir.Constant(kind.element, value)] * WIDTH)


@no_type_check
def _spread(builder, value):
    """The vector of one run-time float32."""
    empty = ir.Constant(_FLOATS, ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, empty, ir.Constant(_INTEGERS, [0] * WIDTH))


@no_type_check
def narrow_to_bfloat16(builder, value):
    """Bits of the bfloat16 nearest to a float32, ties to even, NaN kept."""
    bits = builder.bitcast(value, _INT32)
    odd = builder.and_(builder.lshr(bits, _INT32(16)), _INT32(1))
    rounded = builder.add(builder.add(bits, _INT32(0x7FFF)), odd)
    number = builder.fcmp_ordered("==", value, value)
    chosen = builder.select(number, rounded, _INT32(0x7FC00000))
    return builder.trunc(builder.lshr(chosen, _INT32(16)), _INT16)


@intrinsic
@no_type_check
def broadcast(typing_context, value):
    """All lanes set to the same float32."""

    def generate(context, builder, kind, operands):
        return _spread(builder, operands[0])

    return lanes(types.float32), generate


@intrinsic
@no_type_check
def load(typing_context, address):
    """Sixteen float32 in memory."""

    def generate(context, builder, kind, operands):
        return builder.load(builder.inttoptr(operands[0], _FLOATS.as_pointer()), align=4)

    return lanes(types.int64), generate


@intrinsic
@no_type_check
def store(typing_context, address, value):
    """Write sixteen float32."""

    def generate(context, builder, kind, operands):
        pointer = builder.inttoptr(operands[0], _FLOATS.as_pointer())
        builder.store(operands[1], pointer, align=4)
        return context.get_dummy_value()

    return types.void(types.int64, lanes), generate


@intrinsic
@no_type_check
def load_bfloat16(typing_context, address):
    """Sixteen bfloat16 in memory, widened."""

    def generate(context, builder, kind, operands):
        halves = builder.load(builder.inttoptr(operands[0], _HALVES.as_pointer()), align=2)
        wide = builder.shl(builder.zext(halves, _INTEGERS), _splat(16, _INTEGERS))
        return builder.bitcast(wide, _FLOATS)

    return lanes(types.int64), generate


@intrinsic
@no_type_check
def store_bfloat16(typing_context, address, value):
    """Write sixteen bfloat16, rounded to the nearest, ties to even; NaN is kept."""

    def generate(context, builder, kind, operands):
        value = operands[1]
        bits = builder.bitcast(value, _INTEGERS)
        odd = builder.and_(builder.lshr(bits, _splat(16, _INTEGERS)), _splat(1, _INTEGERS))
        rounded = builder.add(builder.add(bits, _splat(0x7FFF, _INTEGERS)), odd)
        # the sum overflows for a NaN such as CUDA's, 0x7FFFFFFF: it would become -0
        number = builder.fcmp_ordered("==", value, value)
        chosen = builder.select(number, rounded, _splat(0x7FC00000, _INTEGERS))
        halves = builder.trunc(builder.lshr(chosen, _splat(16, _INTEGERS)), _HALVES)
        pointer = builder.inttoptr(operands[0], _HALVES.as_pointer())
        builder.store(halves, pointer, align=2)
        return context.get_dummy_value()

    return types.void(types.int64, lanes), generate


@intrinsic
@no_type_check
def load_scalar(typing_context, address):
    """One float32 in memory."""

    def generate(context, builder, kind, operands):
        return builder.load(builder.inttoptr(operands[0], ir.FloatType().as_pointer()), align=4)

    return types.float32(types.int64), generate


@intrinsic
@no_type_check
def load_scalar_bfloat16(typing_context, address):
    """One bfloat16 in memory, widened."""

    def generate(context, builder, kind, operands):
        half = builder.load(builder.inttoptr(operands[0], ir.IntType(16).as_pointer()), align=2)
        wide = builder.shl(builder.zext(half, ir.IntType(32)), ir.IntType(32)(16))
        return builder.bitcast(wide, ir.FloatType())

    return types.float32(types.int64), generate


@intrinsic
@no_type_check
def load_scalar_int8(typing_context, address):
    """One int8 in memory, as float32."""

    def generate(context, builder, kind, operands):
        value = builder.load(builder.inttoptr(operands[0], ir.IntType(8).as_pointer()), align=1)
        return builder.sitofp(value, ir.FloatType())

    return types.float32(types.int64), generate


@intrinsic
@no_type_check
def store_scalar_bfloat16(typing_context, address, value):
    """Write one bfloat16, rounded to the nearest, ties to even."""

    def generate(context, builder, kind, operands):
        pointer = builder.inttoptr(operands[0], ir.IntType(16).as_pointer())
        builder.store(narrow_to_bfloat16(builder, operands[1]), pointer, align=2)
        return context.get_dummy_value()

    return types.void(types.int64, types.float32), generate


@intrinsic
@no_type_check
def store_scalar(typing_context, address, value):
    """Write one float32."""

    def generate(context, builder, kind, operands):
        pointer = builder.inttoptr(operands[0], ir.FloatType().as_pointer())
        builder.store(operands[1], pointer, align=4)
        return context.get_dummy_value()

    return types.void(types.int64, types.float32), generate


@intrinsic
@no_type_check
def copy_bytes(typing_context, destination, source, count):
    """Copy ``count`` bytes between places that do not overlap."""

    def generate(context, builder, kind, operands):
        byte = ir.IntType(8).as_pointer()
        target, origin = (builder.inttoptr(operand, byte) for operand in operands[:2])
        cgutils.raw_memcpy(builder, target, origin, operands[2], 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


@intrinsic
@no_type_check
def fma(typing_context, a, b, c):
    """``a * b + c``, rounded once if the machine has such an instruction."""

    def generate(context, builder, kind, operands):
        wanted = ir.FunctionType(_FLOATS, [_FLOATS] * 3)
        function = cgutils.get_or_insert_function(builder.module, wanted, "llvm.fmuladd.v16f32")
        return builder.call(function, operands)

    return lanes(lanes, lanes, lanes), generate


@intrinsic
@no_type_check
def maximum(typing_context, a, b):
    """The larger; ``b`` where one of them is NaN."""

    def generate(context, builder, kind, operands):
        return builder.select(builder.fcmp_ordered(">", *operands), *operands)

    return lanes(lanes, lanes), generate


@intrinsic
@no_type_check
def where_negative(typing_context, value, then, otherwise):
    """``then`` in the lanes where ``value`` is below zero, ``otherwise`` in the rest."""

    def generate(context, builder, kind, operands):
        negative = builder.fcmp_ordered("<", operands[0], _splat(0.0, _FLOATS))
        return builder.select(negative, operands[1], operands[2])

    return lanes(lanes, lanes, lanes), generate


@intrinsic
@no_type_check
def negative_magnitude(typing_context, value):
    """``-abs(value)``: the sign bit set."""

    def generate(context, builder, kind, operands):
        bits = builder.bitcast(operands[0], _INTEGERS)
        return builder.bitcast(builder.or_(bits, _splat(-(2**31), _INTEGERS)), _FLOATS)

    return lanes(lanes), generate


@intrinsic
@no_type_check
def times_power_of_two(typing_context, value, shifted):
    """``value``, in [0.5, 2), times two to the integer in the low bits of ``shifted``."""

    def generate(context, builder, kind, operands):
        bits, exponent = (builder.bitcast(operand, _INTEGERS) for operand in operands)
        scaled = builder.add(bits, builder.shl(exponent, _splat(23, _INTEGERS)))
        return builder.bitcast(scaled, _FLOATS)

    return lanes(lanes, lanes), generate


@intrinsic
@no_type_check
def sum_of_lanes(typing_context, value):
    """Sum of all lanes, always in the same order: one half is added to the other."""

    def generate(context, builder, kind, operands):
        total, width = operands[0], WIDTH
        while width > 1:
            width //= 2
            order = [min(lane + width, WIDTH - 1) for lane in range(WIDTH)]
            other = builder.shuffle_vector(total, total, ir.Constant(_INTEGERS, order))
            total = builder.fadd(total, other)
        return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

    return types.float32(lanes), generate


@intrinsic
@no_type_check
def broadcast_lane(typing_context, value, lane):
    """All lanes set to the value of one lane."""

    def generate(context, builder, kind, operands):
        return _spread(builder, builder.extract_element(*operands))

    return lanes(lanes, types.int64), generate


@intrinsic
@no_type_check
def with_lane(typing_context, value, lane, scalar):
    """``value`` with one lane replaced."""

    def generate(context, builder, kind, operands):
        value, lane, scalar = operands
        return builder.insert_element(value, scalar, lane)

    return lanes(lanes, types.int64, types.float32), generate


@intrinsic
@no_type_check
def lanes_on_stack(typing_context):
    """Address of 64 bytes that live as long as the calling function runs."""

    def generate(context, builder, kind, operands):
        place = cgutils.alloca_once(builder, _FLOATS)
        return builder.ptrtoint(place, ir.IntType(64))

    return types.int64(), generate
