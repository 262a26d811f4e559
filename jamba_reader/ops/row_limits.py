"""Up to how many rows the kernels that read each weight once are used, in one place.

A few rows times a matrix cost what reading the matrix costs. With more rows the arithmetic costs
more, in which PyTorch's products are better. Tokens per second must not fall where one way takes
over from the other: ``benchmarks/jamba/batch.py`` measures them.
"""

import torch

from spider.kernels.processor import has_feature

_WIDE = 1024
"""Width of a model from which the products decide alone; below it the calls of the layers count."""

_HAS_TILES = has_feature("amx-bf16")
"""Whether PyTorch multiplies bfloat16 in tiles, twice as fast as the kernels at 16 rows already."""


def product_rows(dtype: torch.dtype) -> int:
    """Return the rows up to which a product with weights of a dtype reads them by our kernel.

    PyTorch has to widen int8 weights first: at 16 rows ours takes 0.2 to 0.5 of its time, at 64
    rows 0.5 to 0.9. In float32 they are equal at 24 to 48 rows (one core of a Xeon with AVX-512).
    """
    return 64 if dtype == torch.int8 else 16


def step_rows(dtype: torch.dtype, hidden: int) -> int:
    """Return the sequences up to which one call computes a step faster than the layers do.

    With 52 M parameters, 512 wide, 8 experts and 16, 17, 32 and 64 sequences, one core computed in
    float32 392, 410, 567 and 704 tokens a second by the call, 328, 326, 514 and 704 by the layers.
    In bfloat16 with tiles it was 540, 544, 639 and 723 against 442, 480, 702 and 1,013, equal at
    23. In models of 4,096 the products decide: equal at 40 in float32, below 16 with tiles.

    Args:
        dtype: dtype of the model.
        hidden: width of the model.
    """
    if dtype == torch.bfloat16 and _HAS_TILES:
        return 24 if hidden < _WIDE else 16
    return 64 if hidden < _WIDE else 32
