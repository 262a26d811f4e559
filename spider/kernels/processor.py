"""Instruction sets that numba compiles for, and LLVM's type for bfloat16 instructions."""

import ctypes
import functools
import platform
import sys

import numba
from llvmlite import binding, ir

from spider.kernels.lanes import WIDTH

_ARCH_PRCTL = 158
_REQUEST_PERMISSION = 0x1023
_TILE_DATA = 18


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


@functools.cache
def has_tiles() -> bool:
    """Return whether kernels may use AMX with bfloat16: the processor has it, and Linux allows it.

    Linux keeps eight kilobytes more for each thread that uses tiles, so a process has to ask once.
    """
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        return False
    if not all(has_feature(name) for name in ("amx-tile", "amx-bf16", "avx512bf16", "avx512vl")):
        return False
    system = ctypes.CDLL(None)
    return bool(system.syscall(_ARCH_PRCTL, _REQUEST_PERMISSION, _TILE_DATA) == 0)
