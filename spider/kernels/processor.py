"""Instruction sets that numba compiles for, and LLVM's type for bfloat16 instructions."""

import numba
from llvmlite import binding, ir

from spider.kernels.lanes import WIDTH


def has_feature(name: str) -> bool:
    """Return whether numba compiles for processors that have an instruction set.

    Args:
        name: as LLVM spells it, such as ``avx512bf16``.
    """
    if numba.config.CPU_FEATURES is not None:
        return f"+{name}" in numba.config.CPU_FEATURES.split(",")
    if numba.config.CPU_NAME not in (None, "host"):
        return False
    return bool(binding.get_host_cpu_features().get(name, False))


class _BFloat16(ir.Type):  # type: ignore[misc]
    """LLVM's own bfloat16, which llvmlite has no name for."""

    def _to_string(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BFloat16)

    def __hash__(self) -> int:
        return hash(_BFloat16)


PAIRS = ir.VectorType(_BFloat16(), 2 * WIDTH)
"""A register of 32 bfloat16: sixteen pairs that one instruction multiplies and adds."""
