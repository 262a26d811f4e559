"""The available memory, and sizes in readable units."""

from pathlib import Path

MIB = 1 << 20


def available_memory() -> int | None:
    """Return the available bytes, within the limit of a container; None if unknown."""
    found = []
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        for line in meminfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("MemAvailable:"):
                found.append(int(line.split()[1]) * 1024)
    limit, used = (Path("/sys/fs/cgroup") / name for name in ("memory.max", "memory.current"))
    if limit.is_file() and used.is_file():
        words = limit.read_text(encoding="utf-8").strip()
        if words.isdigit():
            found.append(int(words) - int(used.read_text(encoding="utf-8")))
    return min(found, default=None)


def in_words(size: int) -> str:
    """Return a size in MiB or GiB."""
    large = size >= 8192 * MIB
    return f"{size / (1024 * MIB):,.1f} GiB" if large else f"{size / MIB:,.0f} MiB"
