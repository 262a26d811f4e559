"""Runs work shard by shard: a finished shard is never done again.

Each task writes into ``shard-00017.partial/``, renamed to ``shard-00017/`` when complete. A killed
run loses only its unfinished shards, and the same command makes the rest. The bytes are those of a
run without the kill, because a shard depends on its task alone.
"""

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import as_completed
from pathlib import Path
from typing import TypeVar

from spider.artifacts.atomic_files import flush_tree, write_json
from spider.child_processes import worker_pool
from spider.errors import ArtifactError
from spider.reading import read_json_object

Task = TypeVar("Task")
Counts = dict[str, int]
COUNTS = "counts.json"


def shard_folder(folder: Path, number: int) -> Path:
    """Return the folder of a shard."""
    return folder / f"shard-{number:05d}"


def run_shards(
    folder: Path,
    tasks: Sequence[Task],
    work: Callable[[Task, Path], Counts],
    *,
    processes: int = 1,
    on_done: Callable[[int, Counts], None] | None = None,
) -> list[Counts]:
    """Do every task whose shard is missing, and return each shard's counts in task order.

    Args:
        folder: holds the shard folders.
        tasks: what each shard is made from; picklable if ``processes`` exceeds 1.
        work: writes one shard's files into the folder that it is given and returns its counts;
            a module-level function if ``processes`` exceeds 1.
        processes: worker processes; they end when this process does, also when it is killed.
        on_done: called with number and counts of each shard, including those that were complete.
    """
    counts: dict[int, Counts] = {}

    def note(number: int, shard_counts: Counts) -> None:
        counts[number] = shard_counts
        if on_done is not None:
            on_done(number, shard_counts)

    missing = []
    for number in range(len(tasks)):
        record = shard_folder(folder, number) / COUNTS
        if record.is_file():
            note(number, read_json_object(record, error=ArtifactError))
        else:
            missing.append(number)
    if processes <= 1 or len(missing) <= 1:
        for number in missing:
            note(number, _do(folder, number, tasks[number], work))
        return [counts[number] for number in range(len(tasks))]
    workers = min(processes, len(missing))
    with worker_pool(workers) as pool:
        futures = {pool.submit(_do, folder, n, tasks[n], work): n for n in missing}
        try:
            for future in as_completed(futures):
                note(futures[future], future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [counts[number] for number in range(len(tasks))]


def _do(folder: Path, number: int, task: Task, work: Callable[[Task, Path], Counts]) -> Counts:
    final = shard_folder(folder, number)
    partial = final.with_name(f"{final.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(parents=True)
    shard_counts = work(task, partial)
    # otherwise a power failure could leave a finished shard with empty files
    flush_tree(partial)
    write_json(partial / COUNTS, shard_counts)
    if final.exists():
        # a shard without its record: a removal of it was killed
        shutil.rmtree(final)
    partial.rename(final)
    return shard_counts
