"""Tensors in numba kernels, by address: no array is made of them on the way in.

One token of decoding runs hundreds of kernels of a few microseconds each; turning six tensors into
numpy arrays for each costs more than the work. Kernels take ``tensor.data_ptr()`` and strides
instead, 0 for an absent tensor. The caller keeps the tensors alive and within their bounds.

A ``kind`` says at compile time what lies at an address: ``FLOAT32`` or ``BFLOAT16``. As in
``jamba_reader.ops.machine.scalar_math``, nothing stored may be loaded in the same loop.
"""

from typing import Any, no_type_check

import numpy as np
import torch
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from jamba_reader.ops.machine.scalar_math import mark_alias, narrow_to_bfloat16

FLOAT32 = np.float32(0)
BFLOAT16 = np.int16(0)

MANY = 1 << 15
"""Elements below which starting threads costs more than it saves (measured: 2 us a start)."""

_KINDS: dict[torch.dtype, Any] = {torch.float32: FLOAT32, torch.bfloat16: BFLOAT16}

_FLOAT = ir.FloatType()
_INT32 = ir.IntType(32)


def memory_kind(dtype: torch.dtype) -> Any:
    """Return the kind of a dtype that numba kernels handle: float32 or bfloat16."""
    return _KINDS[dtype]


def parts_of(elements: int) -> int:
    """Return into how many parts to divide a kernel's work, at most one per thread of torch."""
    return torch.get_num_threads() if elements >= MANY else 1


@no_type_check
def _pointer(context, builder, signature, operands):
    element = context.get_data_type(signature.args[0])
    start = builder.inttoptr(operands[1], element.as_pointer())
    return builder.gep(start, [operands[2]]), 4 if element == _FLOAT else 2


@intrinsic
@no_type_check
def load_at(typing_context, kind, address, index):
    """Element ``index`` of the memory at ``address``, as float32."""

    def generate(context, builder, signature, operands):
        pointer, size = _pointer(context, builder, signature, operands)
        value = builder.load(pointer, align=size)
        mark_alias(builder, value, "noalias")
        if kind == types.float32:
            return value
        return builder.bitcast(builder.shl(builder.zext(value, _INT32), _INT32(16)), _FLOAT)

    return types.float32(kind, types.int64, types.int64), generate


@intrinsic
@no_type_check
def store_at(typing_context, kind, address, index, value):
    """Put a float32 at element ``index`` of the memory at ``address``, rounded to its dtype."""

    def generate(context, builder, signature, operands):
        pointer, size = _pointer(context, builder, signature, operands)
        value = operands[3]
        if kind != types.float32:
            value = narrow_to_bfloat16(builder, value)
        mark_alias(builder, builder.store(value, pointer, align=size), "alias.scope")
        return context.get_dummy_value()

    return types.void(kind, types.int64, types.int64, types.float32), generate


@intrinsic
@no_type_check
def rounded(typing_context, kind, value):
    """A float32 rounded to what memory of this kind can hold, as a float32."""

    def generate(context, builder, signature, operands):
        if kind == types.float32:
            return operands[1]
        bits = builder.zext(narrow_to_bfloat16(builder, operands[1]), _INT32)
        return builder.bitcast(builder.shl(bits, _INT32(16)), _FLOAT)

    return types.float32(kind, types.float32), generate


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
def raw_at(typing_context, kind, address, index):
    """Element ``index`` of the memory at ``address`` as it lies there: bfloat16 as int16."""

    def generate(context, builder, signature, operands):
        pointer, size = _pointer(context, builder, signature, operands)
        value = builder.load(pointer, align=size)
        mark_alias(builder, value, "noalias")
        return value

    return kind(kind, types.int64, types.int64), generate
