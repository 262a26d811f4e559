"""Memory in numba kernels, by address: single numbers, whose type is known at compile time.

One token of decoding runs hundreds of kernels of a few microseconds each. Making numpy arrays of
six tensors for each costs more than the work. Kernels take ``tensor.data_ptr()`` and strides
instead, 0 for an absent tensor. The caller keeps the tensors alive and within their bounds.

An *element* is a value whose type says what lies at an address: ``AS_FLOAT32`` or ``AS_BFLOAT16``
(held as int16, which numpy has). Loops with these functions become vector code: LLVM is told that
nothing loaded is ever stored, which spares the run-time checks that forbid vectors in loops over
many arrays. So no loop may load from memory that it stores to; ``rows`` has no such rule.
"""

from typing import no_type_check

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from spider.kernels.lanes import narrow_to_bfloat16

AS_FLOAT32 = np.float32(0)
AS_BFLOAT16 = np.int16(0)

_FLOAT = ir.FloatType()
_INT32 = ir.IntType(32)
_INT16 = ir.IntType(16)


@no_type_check
def _pointer(context, builder, signature, operands):
    element = context.get_data_type(signature.args[0])
    start = builder.inttoptr(operands[1], element.as_pointer())
    return builder.gep(start, [operands[2]]), 4 if element == _FLOAT else 2


@intrinsic
@no_type_check
def load_at(typing_context, element, address, index):
    """Element ``index`` of the memory at ``address``, as float32."""

    def generate(context, builder, signature, operands):
        pointer, size = _pointer(context, builder, signature, operands)
        value = builder.load(pointer, align=size)
        mark_alias(builder, value, "noalias")
        if element == types.float32:
            return value
        return builder.bitcast(builder.shl(builder.zext(value, _INT32), _INT32(16)), _FLOAT)

    return types.float32(element, types.int64, types.int64), generate


@intrinsic
@no_type_check
def store_at(typing_context, element, address, index, value):
    """Put a float32 at element ``index`` of the memory at ``address``, rounded to its dtype."""

    def generate(context, builder, signature, operands):
        pointer, size = _pointer(context, builder, signature, operands)
        value = operands[3]
        if element != types.float32:
            value = narrow_to_bfloat16(builder, value)
        mark_alias(builder, builder.store(value, pointer, align=size), "alias.scope")
        return context.get_dummy_value()

    return types.void(element, types.int64, types.int64, types.float32), generate


@intrinsic
@no_type_check
def rounded(typing_context, element, value):
    """A float32 rounded to what memory of this type can hold, as a float32."""

    def generate(context, builder, signature, operands):
        if element == types.float32:
            return operands[1]
        bits = builder.zext(narrow_to_bfloat16(builder, operands[1]), _INT32)
        return builder.bitcast(builder.shl(bits, _INT32(16)), _FLOAT)

    return types.float32(element, types.float32), generate


@intrinsic
@no_type_check
def integer_at(typing_context, address, index):
    """Element ``index`` of the int64 memory at ``address``."""

    def generate(context, builder, signature, operands):
        start = builder.inttoptr(operands[0], ir.IntType(64).as_pointer())
        return builder.load(builder.gep(start, [operands[1]]), align=8)

    return types.int64(types.int64, types.int64), generate


@intrinsic
@no_type_check
def raw_at(typing_context, element, address, index):
    """Element ``index`` of the memory at ``address`` as it lies there: bfloat16 as int16."""

    def generate(context, builder, signature, operands):
        pointer, size = _pointer(context, builder, signature, operands)
        value = builder.load(pointer, align=size)
        mark_alias(builder, value, "noalias")
        return value

    return element(element, types.int64, types.int64), generate


@no_type_check
def _address(context, builder, signature, operands):
    """Pointer to ``array[row, column]``, without numba's wrap-around of negative indices."""
    array = context.make_array(signature.args[0])(context, builder, operands[0])
    strides = cgutils.unpack_tuple(builder, array.strides, 2)
    kind = context.get_data_type(signature.args[0].dtype).as_pointer()
    start = builder.bitcast(array.data, ir.IntType(8).as_pointer())
    row = builder.bitcast(builder.gep(start, [builder.mul(operands[1], strides[0])]), kind)
    return builder.gep(row, [operands[2]])


@no_type_check
def mark_alias(builder, instruction, kind):
    """Put loads out of, and stores into, one alias scope, named so that all modules share it."""
    module = builder.module
    domain = module.add_metadata(["jamba_reader kernels"])
    scope = module.add_metadata(["what kernels store", domain])
    instruction.set_metadata(kind, module.add_metadata([scope]))


@intrinsic
@no_type_check
def load(typing_context, array, row, column):
    """``array[row, column]`` as float32, of a float32 or a bfloat16 (int16) matrix.

    The last dimension is contiguous, indices are at least 0.
    """

    def generate(context, builder, signature, operands):
        value = builder.load(_address(context, builder, signature, operands))
        mark_alias(builder, value, "noalias")
        if signature.args[0].dtype == types.float32:
            return value
        return builder.bitcast(builder.shl(builder.zext(value, _INT32), _INT32(16)), _FLOAT)

    return types.float32(array, types.intp, types.intp), generate


@intrinsic
@no_type_check
def store(typing_context, array, row, column, value):
    """``array[row, column] = value``, rounded to nearest even if the matrix is bfloat16."""

    def generate(context, builder, signature, operands):
        value = operands[3]
        if signature.args[0].dtype != types.float32:
            value = narrow_to_bfloat16(builder, value)
        mark_alias(
            builder,
            builder.store(value, _address(context, builder, signature, operands)),
            "alias.scope",
        )
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, types.float32), generate
