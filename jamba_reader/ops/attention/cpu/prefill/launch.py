"""Attention of prompts on a CPU with AVX-512: calls of the numba kernels."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from jamba_reader.ops.attention.cpu.layout import LOG2E
from jamba_reader.ops.attention.cpu.prefill.forward import (
    attend_units,
    attend_units_in_parallel,
    places_in,
)
from jamba_reader.ops.attention.cpu.prefill.tiles import (
    QUERIES,
)
from jamba_reader.ops.machine.threads import match_threads
from jamba_reader.ops.segments import Segments
from spider.kernels.lanes import WIDTH
from spider.kernels.processor import has_feature

_FEATURES = {torch.float32: "avx512f", torch.bfloat16: "avx512bf16"}


# With AMX, PyTorch's kernel is 1.3 to 4.1 times as fast in bfloat16: 0.5 against 0.6 ms for four
# sequences of 256 tokens, 4 heads of 32; 48 against 186 ms for 2,048 tokens, 32 heads of 128
# (two cores of a Xeon with AVX512-FP16, torch 2.13). Splits then change roundings.
_HERE = {
    dtype: has_feature(name) and not (dtype == torch.bfloat16 and has_feature("amx-bf16"))
    for dtype, name in _FEATURES.items()
}


def does(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    memory: tuple[Tensor, Tensor, Sequence[int]] | None,
    scale: float,
) -> bool:
    """Return whether the kernel takes these operands and is faster than PyTorch's here."""
    tensors = (query, key, value) if memory is None else (query, key, value, *memory[:2])
    return (
        _HERE.get(query.dtype, False)
        and scale > 0
        and query.shape[-1] % WIDTH == 0
        and all(t.dtype == query.dtype and t.stride(-1) == 1 for t in tensors)
        and not (torch.is_grad_enabled() and any(t.requires_grad for t in tensors))
    )


def attend(
    query: Float[Tensor, "tokens heads head_dim"],
    key: Float[Tensor, "tokens kv_heads head_dim"],
    value: Float[Tensor, "tokens kv_heads head_dim"],
    segments: Segments,
    memory: tuple[Tensor, Tensor, Sequence[int]] | None,
    *,
    scale: float,
) -> Float[Tensor, "tokens heads head_dim"]:
    """Attend as ``fused.prefill_attention`` does, where ``does`` returns True."""
    tokens, heads, head_dim = query.shape
    output = torch.empty((tokens, heads, head_dim), dtype=query.dtype, device="cpu")
    size = query.element_size()
    keys, values = (key, value) if memory is None else memory[:2]
    head_axis, token_axis = (1, 0) if memory is None else (1, 2)
    shape = (
        heads // key.shape[1],
        head_dim,
        size,
        query.stride(0) * size,
        query.stride(1) * size,
        keys.stride(token_axis) * size,
        values.stride(token_axis) * size,
        output.stride(0) * size,
    )
    units = []
    for sequence, (start, new) in enumerate(zip(segments.starts, segments.lengths, strict=False)):
        past = 0 if memory is None else memory[2][sequence] - new
        # rows of ``keys`` before the sequence: tokens, or sequences of the memory
        before = start if memory is None else sequence
        for first in range(0, new, QUERIES):
            for head in range(key.shape[1]):
                places = [
                    t.data_ptr() + (before * t.stride(0) + head * t.stride(head_axis)) * size
                    for t in (keys, values)
                ]
                row, column = start + first, head * shape[0]
                places += [
                    t.data_ptr() + (row * t.stride(0) + column * t.stride(1)) * size
                    for t in (query, output)
                ]
                units.append((*places, past + first, min(QUERIES, new - first)))
    if not units:
        return output
    # longest first: then all threads end at about the same time
    table = np.array(sorted(units, key=lambda unit: -unit[4]), dtype=np.int64)
    workers = min(match_threads(), len(table))
    scratch_size = places_in(0, shape)[-1]
    scratch = torch.empty(workers * scratch_size, dtype=torch.uint8, device="cpu")
    kernel = attend_units if workers == 1 else attend_units_in_parallel
    kernel(workers, table, shape, np.float32(scale * LOG2E), scratch.data_ptr(), scratch_size)
    return output
