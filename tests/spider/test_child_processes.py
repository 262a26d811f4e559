"""A killed process takes its children with it, and the lock is free when they have ended."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from spider.artifacts.artifact import open_artifact
from spider.artifacts.shards import run_shards
from spider.artifacts.stage import Stage
from spider.child_processes import end_with_parent

ROOT = Path(__file__).resolve().parents[2]


def slow(task: int, folder: Path) -> dict[str, int]:
    """Say which process works, and work until the test lets it end."""
    marks = folder.parents[1] / "marks"
    (marks / f"{os.getpid()}").touch()
    while not (marks / "go").exists():
        time.sleep(0.02)
    (folder / "value").write_text(str(task))
    return {"value": task}


def write(folder: Path) -> None:
    stage = Stage(verb="embed", kind="run", output=folder / "out", config={}, inputs={})
    with stage.writing() as partial:
        counts = run_shards(partial, [1, 2, 3], slow, processes=2)
        stage.finish(counts={"shards": len(counts)})


def test_shards_in_processes_have_the_bytes_of_one(tmp_path: Path) -> None:
    (tmp_path / "marks").mkdir()
    (tmp_path / "marks" / "go").touch()
    write(tmp_path)
    assert open_artifact(tmp_path / "out").counts == {"shards": 3}


def start(code: str, *words: object) -> "subprocess.Popen[bytes]":
    """Start Python code that can import this file."""
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path})


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


def ended(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def workers(folder: Path) -> list[int]:
    return [int(mark.name) for mark in (folder / "marks").iterdir() if mark.name.isdigit()]


RUN = """
import pathlib, sys
import test_child_processes
if __name__ == "__main__":
    test_child_processes.write(pathlib.Path(sys.argv[1]))
"""


def test_a_killed_run_leaves_no_worker_and_no_lock(tmp_path: Path) -> None:
    (tmp_path / "marks").mkdir()
    parent = start(RUN, tmp_path)
    until(lambda: len(workers(tmp_path)) == 2)
    orphans = workers(tmp_path)
    parent.kill()
    parent.wait()
    (tmp_path / "marks" / "go").touch()
    # at once: it waits until the lock is free, and the workers have ended by then
    write(tmp_path)
    assert all(map(ended, orphans))
    assert open_artifact(tmp_path / "out").counts == {"shards": 3}


CHILD = """
import pathlib, sys, time
sys.platform = sys.argv[2]
from spider.child_processes import end_with_parent
end_with_parent()
pathlib.Path(sys.argv[1], "marks", str(__import__("os").getpid())).touch()
time.sleep(600)
"""
PARENT = f"""
import sys
from spider.child_processes import child
with child([sys.executable, "-c", {CHILD!r}, *sys.argv[1:]]) as process:
    process.wait()
"""


@pytest.mark.parametrize("platform", ["linux", "another"])
def test_a_killed_pipeline_leaves_no_stage(platform: str, tmp_path: Path) -> None:
    (tmp_path / "marks").mkdir()
    parent = start(PARENT, tmp_path, platform)
    until(lambda: len(workers(tmp_path)) == 1)
    (orphan,) = workers(tmp_path)
    assert not ended(orphan)
    parent.kill()
    parent.wait()
    until(lambda: ended(orphan), 5)


def test_a_child_whose_parent_ended_first_ends_at_once(tmp_path: Path) -> None:
    (tmp_path / "marks").mkdir()
    theirs, ours = os.pipe()
    environment = {**os.environ, "SPIDER_PARENT": f"999999999 {theirs}", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", CHILD, str(tmp_path), "linux"]
    done = subprocess.run(command, env=environment, pass_fds=(theirs,), timeout=60, check=False)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 1
    assert not workers(tmp_path)


def test_a_command_that_nobody_ties_runs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for words in ("", "x y", "1"):
        monkeypatch.setenv("SPIDER_PARENT", words)
        end_with_parent()
        assert "SPIDER_PARENT" not in os.environ
