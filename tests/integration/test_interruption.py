"""A command that is killed or stopped loses nothing: the same command goes on and ends with the
bytes of an uninterrupted run.
"""

import os
import random
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.artifact import open_artifact

pytestmark = pytest.mark.slow

#: a training run that outlasts every test
ENDLESS = ("training.steps=1000000", "training.validate_every=1000000", "batch_size=32")


def until(condition: Any, *, seconds: float = 60) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def test_a_killed_command_finishes_with_the_bytes_of_an_uninterrupted_one(
    command: Any, desk: Path, made: Path, workspace: Path, run: Any
) -> None:
    output = workspace / command.output
    partial = output.with_name(f"{output.name}.partial")
    expected = open_artifact(made / command.output).manifest
    shutil.rmtree(output)
    # each run goes on from what the killed ones before it left
    for seed in range(1 if command.verb == "train-language-model" else 3):
        rng = random.Random(f"{command.verb} {seed}")  # noqa: S311
        running = run.start(*command.line(workspace), cwd=desk)
        until(lambda: partial.exists() or output.exists())
        time.sleep(rng.random() * expected["volatile"]["seconds"])
        assert running.signalled(signal.SIGKILL).code in (-signal.SIGKILL, 0)
    done = run(*command.line(workspace), cwd=desk)
    assert done.code == 0, done.err
    finished = open_artifact(output, kind=expected["kind"]).manifest
    assert finished["content_hash"] == expected["content_hash"]
    assert finished["payload_hash"] == expected["payload_hash"]
    assert not partial.exists()


def test_a_killed_replacement_leaves_the_old_artifact_in_use(
    commands: dict[str, Any], desk: Path, made: Path, workspace: Path, run: Any
) -> None:
    train = commands["train"].line(workspace, "overwrite=true", *ENDLESS)
    running = run.start(*train, cwd=desk)
    until((workspace / "encoder.partial" / ".lock").exists)
    running.signalled(signal.SIGKILL)
    before = open_artifact(made / "encoder").content_hash
    assert open_artifact(workspace / "encoder").content_hash == before
    done = run(*commands["embed"].line(workspace), cwd=desk)
    assert done.code == 0
    assert "is up to date" in done.err


def test_training_goes_on_from_its_last_saved_step(
    commands: dict[str, Any], desk: Path, made: Path, workspace: Path, run: Any
) -> None:
    shutil.rmtree(workspace / "encoder")
    words = commands["train"].line(workspace, "training.steps=25", "training.save_every=1")
    running = run.start(*words, cwd=desk)
    saved = workspace / "encoder.partial"
    until(lambda: any(name.endswith("10") for name in names_below(saved)) or not alive(running))
    stopped = running.signalled(signal.SIGTERM)
    assert stopped.code == 75, stopped.err
    done = run(*words, cwd=desk)
    assert done.code == 0, done.err
    assert f"resuming train from {saved}" in done.err
    whole = run(*commands["train"].line(workspace, "training.steps=25"), cwd=desk)
    assert "is up to date" in whole.err
    resumed = open_artifact(workspace / "encoder").manifest
    shutil.rmtree(workspace / "encoder")
    assert run(*commands["train"].line(workspace, "training.steps=25"), cwd=desk).code == 0
    assert open_artifact(workspace / "encoder").manifest["payload_hash"] == resumed["payload_hash"]


def names_below(folder: Path) -> list[str]:
    """Return the names of what lies in a folder; what vanishes meanwhile does not matter."""
    return [name for _, folders, files in os.walk(folder) for name in (*folders, *files)]


def alive(running: Any) -> bool:
    """Tell whether a command still runs."""
    try:
        os.kill(running.pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_a_signal_ends_training_with_its_code_and_one_line(
    number: int, code: int, commands: dict[str, Any], desk: Path, workspace: Path, run: Any
) -> None:
    # SIGTERM to the training of a language model, SIGINT to that of an encoder: both share the loop
    command = commands["train-language-model" if code == 75 else "train"]
    output = workspace / command.output
    shutil.rmtree(output)
    running = run.start(*command.line(workspace, *ENDLESS[:2]), cwd=desk)
    until((output.with_name(f"{output.name}.partial") / ".fingerprint.json").exists)
    # a moment of the training itself, or of its preparation
    time.sleep(0.5)
    done = running.signalled(number)
    assert done.code == code
    assert "run the same command again to continue" in done.line
    assert not output.exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 75), (signal.SIGINT, 130)])
def test_a_signal_ends_a_command_that_waits_for_its_input(
    number: int, code: int, desk: Path, made: Path, tmp_path: Path, run: Any
) -> None:
    """The prompt of ``spider search`` waits for a question on a pipe that stays open."""
    pipe = tmp_path / "questions"
    os.mkfifo(pipe)
    keep_open = os.open(pipe, os.O_RDWR)
    try:
        running = run.start("search", f"--workspace={made}", cwd=desk, stdin=str(pipe))
        os.write(keep_open, b"a first question\n")
        until(lambda: (running.folder / "out").stat().st_size > 0)
        done = running.signalled(number)
    finally:
        os.close(keep_open)
    assert done.code == code
    assert "Traceback" not in done.err
    assert done.err.splitlines()[-1].startswith("spider search: ")


def test_stopping_a_pipeline_stops_its_stage_and_it_goes_on(
    desk: Path, tmp_path: Path, run: Any
) -> None:
    overlay = tmp_path / "conf" / "pipeline"
    overlay.mkdir(parents=True)
    for name, steps in (("endless", 1000000), ("short", 3)):
        (overlay / f"{name}.yaml").write_text(
            "stages:\n"
            "  read: {verb: prepare, settings: {source: folder, source.path: notes}}\n"
            "  mine: {verb: mine}\n"
            "  train: {verb: train, settings: {architecture.dimension: 16, batch_size: 32,\n"
            f"          training.steps: {steps}, training.validate_every: 1000000}}}}\n"
        )
    work = tmp_path / "work"
    words = ("--config-dir", str(tmp_path / "conf"), f"--workspace={work}")
    running = run.start("pipeline", "pipeline=endless", *words, cwd=desk)
    until((work / "encoder.partial" / ".fingerprint.json").exists)
    started = next(
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and parent_of(entry) == running.pid
    )
    done = running.signalled(signal.SIGTERM)
    assert done.code == 75, done.err
    assert not Path(f"/proc/{started}").exists()
    done = run("pipeline", "pipeline=short", *words, cwd=desk)
    assert done.code == 0, done.err
    assert done.err.count("is up to date") == 2
    assert open_artifact(work / "encoder").config["training"]["steps"] == 3


def parent_of(process: Path) -> int:
    """Return the process id of a process's parent; 0 if it has ended meanwhile."""
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return 0
