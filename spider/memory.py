"""The available memory, and sizes in readable units."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from spider.errors import DataError
from spider.reading import read_text

MIB = 1 << 20


class _Files(NamedTuple):
    """The names of one version of cgroups: where it is mounted, its files and its entries."""

    mount: str
    limits: tuple[str, ...]
    used: str
    #: entries of ``memory.stat`` that the kernel frees before it refuses memory: the page cache,
    #: without the shared memory that is counted with it, and caches of the kernel
    reclaimable: tuple[str, ...]


VERSIONS = (
    _Files(
        "sys/fs/cgroup",
        ("memory.max", "memory.high"),
        "memory.current",
        ("active_file", "inactive_file", "slab_reclaimable"),
    ),
    _Files(
        "sys/fs/cgroup/memory",
        ("memory.limit_in_bytes",),
        "memory.usage_in_bytes",
        ("total_active_file", "total_inactive_file"),
    ),
)


def available_memory(root: Path = Path("/")) -> int | None:
    """Return the available bytes, within the limits of containers; None if unknown.

    Args:
        root: the root of the file system.
    """
    machine = _entries(root / "proc/meminfo").get("MemAvailable:")
    found = [] if machine is None else [machine * 1024]
    for files in VERSIONS:
        for group in _groups(root, files):
            limits = [_number(group / name) for name in files.limits]
            limit = min((size for size in limits if size is not None), default=None)
            used = _number(group / files.used)
            if limit is not None and used is not None:
                counted = _entries(group / "memory.stat")
                kept = used - sum(counted.get(name, 0) for name in files.reclaimable)
                found.append(max(0, limit - max(0, kept)))
    return min(found, default=None)


def _groups(root: Path, files: _Files) -> Iterator[Path]:
    """Yield the group of this process and those around it; a limit of each of them holds.

    In a container the path may be that of the host, and then only the mount itself is there.
    """
    mount = root / files.mount
    inside = {Path()}
    for line in _lines(root / "proc/self/cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" or "memory" in controllers.split(","):
            place = Path(path.strip("/"))
            inside |= {place, *place.parents}
    for place in sorted(inside):
        if ".." not in place.parts:
            yield mount / place


def _number(file: Path) -> int | None:
    """Return the number in a file; None for "max", and where there is no such file."""
    words = "".join(_lines(file)).strip()
    return int(words) if words.isdecimal() else None


def _entries(file: Path) -> dict[str, int]:
    """Return the lines ``NAME NUMBER`` of a file."""
    rows = [line.split() for line in _lines(file)]
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}


def _lines(file: Path) -> list[str]:
    try:
        return read_text(file).splitlines()
    except DataError:
        # not Linux, another version of cgroups, or not permitted
        return []


def in_words(size: int) -> str:
    """Return a size in MiB or GiB."""
    large = size >= 8192 * MIB
    return f"{size / (1024 * MIB):,.1f} GiB" if large else f"{size / MIB:,.0f} MiB"
