from pathlib import Path

import pytest

from spider.artifacts.shards import COUNTS, run_shards, shard_folder


def square(task: int, folder: Path) -> dict[str, int]:
    (folder / "value").write_text(str(task**2))
    return {"value": task**2}


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def test_shards_are_done_in_task_order_and_only_once(tmp_path: Path) -> None:
    seen: list[int] = []

    def work(task: int, folder: Path) -> dict[str, int]:
        seen.append(task)
        return square(task, folder)

    assert run_shards(tmp_path, [3, 4], work) == [{"value": 9}, {"value": 16}]
    assert run_shards(tmp_path, [3, 4], work) == [{"value": 9}, {"value": 16}]
    assert seen == [3, 4]


def test_killed_run_goes_on_with_the_same_bytes(tmp_path: Path) -> None:
    run_shards(tmp_path / "whole", [1, 2, 3], square)

    def dies_at_two(task: int, folder: Path) -> dict[str, int]:
        counts = square(task, folder)
        if task == 2:
            raise KeyboardInterrupt
        return counts

    with pytest.raises(KeyboardInterrupt):
        run_shards(tmp_path / "killed", [1, 2, 3], dies_at_two)
    assert shard_folder(tmp_path / "killed", 0).exists()
    assert not shard_folder(tmp_path / "killed", 1).exists()
    run_shards(tmp_path / "killed", [1, 2, 3], square)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_spawned_workers_do_the_same(tmp_path: Path) -> None:
    done: list[int] = []
    run_shards(tmp_path / "one", [1, 2, 3], square)
    counts = run_shards(
        tmp_path / "two", [1, 2, 3], square, processes=2, on_done=lambda n, _: done.append(n)
    )
    assert counts == [{"value": 1}, {"value": 4}, {"value": 9}]
    assert sorted(done) == [0, 1, 2]
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_shard_without_its_record_is_made_anew(tmp_path: Path) -> None:
    whole = run_shards(tmp_path / "whole", [1, 2, 3], square)
    run_shards(tmp_path / "killed", [1, 2, 3], square)
    (shard_folder(tmp_path / "killed", 1) / COUNTS).unlink()
    assert run_shards(tmp_path / "killed", [1, 2, 3], square) == whole
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")
