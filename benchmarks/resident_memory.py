"""Resident memory of this process as Linux counts it, and its peak since a chosen moment."""

import ctypes
import gc
from pathlib import Path

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")
MIB = 1 << 20


def resident_bytes() -> int:
    """Return what is resident now."""
    return _field("VmRSS")


def peak_bytes() -> int:
    """Return the most that was resident since ``forget_peak``, or since the process began."""
    return _field("VmHWM")


def forget_peak() -> None:
    """Give freed memory back to the system and let the peak begin at what is left."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    CLEAR.write_text("5", encoding="ascii")


def _field(name: str) -> int:
    for line in STATUS.read_text(encoding="ascii").splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    raise OSError(f"{STATUS} has no field {name}: expected Linux's")
