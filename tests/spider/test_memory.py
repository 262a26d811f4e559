"""Available memory: in trees as Linux shows them on a machine and in containers."""

from pathlib import Path

import pytest

from spider.memory import MIB, available_memory, in_words

GIB = 1024 * MIB
MEMINFO = "MemTotal:       65536000 kB\nMemFree:  1000 kB\nMemAvailable:   41943040 kB\n"  # 40 GiB
UNLIMITED_1 = "9223372036854771712"


def stat(*, prefix: str = "", active: int = 0, inactive: int = 0, **rest: int) -> str:
    counted = {f"{prefix}active_file": active, f"{prefix}inactive_file": inactive, **rest}
    return "".join(f"{name} {size}\n" for name, size in counted.items())


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in {"proc/meminfo": MEMINFO, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


def test_sizes_in_words() -> None:
    assert in_words(3 * MIB) == "3 MiB"
    assert in_words(16384 * MIB) == "16.0 GiB"


def test_this_machine_has_memory_or_does_not_say() -> None:
    found = available_memory()
    assert found is None or found > 0


def test_a_machine_without_containers(tmp_path: Path) -> None:
    assert available_memory(tree(tmp_path, {})) == 40 * GIB
    assert available_memory(tmp_path / "another system") is None


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # a full page cache: 7.9 of 8 GiB in use, 6 of them cache of files that were read
        (
            {
                "sys/fs/cgroup/memory.max": f"{8 * GIB}\n",
                "sys/fs/cgroup/memory.current": f"{8 * GIB - 100 * MIB}\n",
                "sys/fs/cgroup/memory.stat": stat(active=2 * GIB, inactive=4 * GIB),
            },
            6 * GIB + 100 * MIB,
        ),
        # files in shared memory are counted as file, but are no cache
        (
            {
                "sys/fs/cgroup/memory.max": f"{8 * GIB}\n",
                "sys/fs/cgroup/memory.current": f"{7 * GIB}\n",
                "sys/fs/cgroup/memory.stat": stat(file=6 * GIB, shmem=6 * GIB),
            },
            1 * GIB,
        ),
        (
            {
                "sys/fs/cgroup/memory.max": f"{8 * GIB}\n",
                "sys/fs/cgroup/memory.current": f"{7 * GIB}\n",
                "sys/fs/cgroup/memory.stat": stat(slab_reclaimable=GIB, slab_unreclaimable=GIB),
            },
            2 * GIB,
        ),
        # "max" is no limit, but the throttle is one
        (
            {
                "sys/fs/cgroup/memory.max": "max\n",
                "sys/fs/cgroup/memory.current": f"{3 * GIB}\n",
            },
            40 * GIB,
        ),
        (
            {
                "sys/fs/cgroup/memory.max": "max\n",
                "sys/fs/cgroup/memory.high": f"{4 * GIB}\n",
                "sys/fs/cgroup/memory.current": f"{3 * GIB}\n",
            },
            1 * GIB,
        ),
        # a limit that was lowered below what is used
        (
            {
                "sys/fs/cgroup/memory.max": f"{1 * GIB}\n",
                "sys/fs/cgroup/memory.current": f"{2 * GIB}\n",
            },
            0,
        ),
        # the kernel updates the files at different times: more cache than memory in use
        (
            {
                "sys/fs/cgroup/memory.max": f"{2 * GIB}\n",
                "sys/fs/cgroup/memory.current": f"{1 * GIB}\n",
                "sys/fs/cgroup/memory.stat": stat(active=2 * GIB),
            },
            2 * GIB,
        ),
        # a slice of systemd around this process's own group
        (
            {
                "proc/self/cgroup": "0::/user.slice/session.scope\n",
                "sys/fs/cgroup/user.slice/memory.max": f"{4 * GIB}\n",
                "sys/fs/cgroup/user.slice/memory.current": f"{3 * GIB}\n",
                "sys/fs/cgroup/user.slice/memory.stat": stat(inactive=2 * GIB),
                "sys/fs/cgroup/user.slice/session.scope/memory.max": "max\n",
                "sys/fs/cgroup/user.slice/session.scope/memory.current": f"{1 * GIB}\n",
            },
            3 * GIB,
        ),
        # version 1: its own names, and a huge number for no limit
        (
            {
                "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{8 * GIB}\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{8 * GIB}\n",
                "sys/fs/cgroup/memory/memory.stat": stat(active=9 * GIB)
                + stat(prefix="total_", active=1 * GIB, inactive=4 * GIB),
            },
            5 * GIB,
        ),
        (
            {
                "sys/fs/cgroup/memory/memory.limit_in_bytes": UNLIMITED_1,
                "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{8 * GIB}\n",
            },
            40 * GIB,
        ),
        # version 1 in a container: the path is the host's, the mount is the container's
        (
            {
                "proc/self/cgroup": "11:cpu:/docker/ab\n4:memory:/docker/ab\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 * GIB}\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{1 * GIB}\n",
            },
            1 * GIB,
        ),
        # a job of a cluster, version 1
        (
            {
                "proc/self/cgroup": "9:hugetlb,memory:/slurm/job_7\n",
                "sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes": f"{6 * GIB}\n",
                "sys/fs/cgroup/memory/slurm/job_7/memory.usage_in_bytes": f"{5 * GIB}\n",
                "sys/fs/cgroup/memory/slurm/job_7/memory.stat": stat(prefix="total_", active=GIB),
            },
            2 * GIB,
        ),
        # nonsense in a file counts as absent
        (
            {
                "proc/self/cgroup": "0::/../../other\nnonsense\n",
                "sys/fs/cgroup/memory.max": "12 34\n",
                "sys/fs/cgroup/memory.current": "\n",
            },
            40 * GIB,
        ),
    ],
)
def test_the_smallest_limit_holds_and_cache_is_available(
    files: dict[str, str], expected: int, tmp_path: Path
) -> None:
    assert available_memory(tree(tmp_path, files)) == expected
