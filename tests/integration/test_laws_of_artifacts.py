"""Laws of every verb that writes an artifact: repeatable, independent of how it runs, replaced only
on request.
"""

import shutil
import subprocess
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.artifact import Artifact, open_artifact

pytestmark = pytest.mark.slow


def files_of(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return the bytes and the modification time of every file below a folder."""
    return {
        file.relative_to(folder).as_posix(): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_a_second_run_is_up_to_date_and_touches_no_byte(
    command: Any, desk: Path, made: Path, run: Any
) -> None:
    before = files_of(made)
    done = run(*command.line(made), cwd=desk)
    assert done.code == 0, done.err
    assert f"{made / command.output} is up to date" in done.err
    assert files_of(made) == before


def test_every_file_that_a_verb_writes_is_declared(command: Any, made: Path) -> None:
    artifact = open_artifact(made / command.output)
    names = {name for name in files_of(artifact.path) if name != "manifest.json"}
    assert set(artifact.files) == names


def test_elsewhere_and_run_in_another_way_the_content_is_the_same(
    command: Any, desk: Path, made: Path, workspace: Path, run: Any
) -> None:
    shutil.rmtree(workspace / command.output)
    if command.verb == "quantize-reader":
        shutil.copytree(made / "language-model", workspace / "copy of a model")
    done = run(*command.other_line(workspace), cwd=desk)
    assert done.code == 0, done.err
    once, again = open_artifact(made / command.output), open_artifact(workspace / command.output)
    assert again.content_hash == once.content_hash
    assert again.manifest["payload_hash"] == once.manifest["payload_hash"]
    assert again.counts == once.counts
    assert differing_files(once, again) == set()


def differing_files(one: Artifact, other: Artifact) -> set[str]:
    """Return the files of two artifacts that are not equal."""
    names = set(one.manifest["files"]) | set(other.manifest["files"])
    return {
        name for name in names if (one.path / name).read_bytes() != (other.path / name).read_bytes()
    }


def test_another_content_is_refused_until_overwriting_is_asked_for(
    command: Any, desk: Path, made: Path, workspace: Path, run: Any
) -> None:
    output = workspace / command.output
    before = files_of(workspace)
    done = run(*command.line(workspace, command.change), cwd=desk)
    assert done.code == 5
    assert f"{output} exists and was made from other settings or inputs" in done.line
    assert "overwrite=true" in done.err
    assert files_of(workspace) == before
    done = run(*command.line(workspace, command.change, "overwrite=true"), cwd=desk)
    assert done.code == 0, done.err
    replaced = open_artifact(output)
    assert replaced.content_hash != open_artifact(made / command.output).content_hash
    key, _, value = command.change.partition("=")
    node: Any = replaced.config
    for part in key.split("."):
        node = node[part]
    assert str(node).lower() == value
    assert not output.with_name(f"{output.name}.old").exists()
    assert not output.with_name(f"{output.name}.partial").exists()


def test_another_parent_makes_a_child_stale(
    commands: dict[str, Any], desk: Path, workspace: Path, run: Any
) -> None:
    mine, embed, build = (commands[verb] for verb in ("mine", "embed", "build"))
    assert run(*mine.line(workspace, mine.change, "overwrite=true"), cwd=desk).code == 0
    done = run(*commands["train"].line(workspace), cwd=desk)
    assert done.code == 5
    assert "made from other settings or inputs" in done.only_line()
    # the embeddings name the encoder and not the spans, and so they stay valid
    assert "is up to date" in run(*embed.line(workspace), cwd=desk).err
    assert run(*build.line(workspace), cwd=desk).code == 5


def test_threads_and_heap_of_lucene_are_no_content(
    desk: Path, made: Path, tmp_path: Path, run: Any
) -> None:
    hashes = []
    inputs = [f"--{name}={made / name}" for name in ("corpus", "embeddings", "spans")]
    for name, settings in (("one", ()), ("two", ("sparse.heap=300m", "sparse.threads=1"))):
        words = ["sparse=lucene", f"--output={tmp_path / name}", *settings]
        done = run("build", *inputs, *words, cwd=desk)
        assert done.code == 0, done.err
        hashes.append(open_artifact(tmp_path / name).content_hash)
    assert hashes[0] == hashes[1]


def test_a_writer_keeps_others_out(command: Any, desk: Path, workspace: Path, run: Any) -> None:
    output = workspace / command.output
    shutil.rmtree(output)
    partial = output.with_name(f"{output.name}.partial")
    partial.mkdir()
    (partial / "half done").write_text("by the other")
    with (partial / ".lock").open("a") as lock:
        flock(lock, LOCK_EX)
        done = run(*command.line(workspace), cwd=desk)
        assert done.code == 5
        assert f"{partial} is being written by another process; wait for it" in done.line
        assert (partial / "half done").read_text() == "by the other"
        assert not output.exists()


@pytest.mark.parametrize("there", ["a file", "a folder of the user's", "another kind"])
def test_what_is_not_ours_to_replace_stays(
    command: Any, there: str, desk: Path, workspace: Path, run: Any
) -> None:
    output = workspace / command.output
    shutil.rmtree(output)
    if there == "a file":
        output.write_text("precious")
    elif there == "a folder of the user's":
        output.mkdir()
        (output / "thesis.tex").write_text("precious")
    else:
        other = "spans" if command.verb != "mine" else "questions"
        shutil.copytree(workspace / other, output)
    before = files_of(workspace)
    done = run(*command.line(workspace, "overwrite=true"), cwd=desk)
    assert done.code == 5
    assert str(output) in done.line
    assert "choose another output" in done.line
    assert files_of(workspace) == before


def test_a_place_without_write_permission_is_one_line(
    command: Any, desk: Path, workspace: Path, run: Any
) -> None:
    shutil.rmtree(workspace / command.output)
    before = files_of(workspace)
    workspace.chmod(0o555)
    try:
        done = run(*command.line(workspace), cwd=desk, obey_permissions=True)
    finally:
        workspace.chmod(0o755)
    assert done.code == 2
    assert "cannot write" in done.line
    assert "Permission denied" in done.line
    assert "workspace=FOLDER" in done.line
    assert files_of(workspace) == before


def test_a_read_only_workspace_is_read(
    commands: dict[str, Any], desk: Path, workspace: Path, run: Any
) -> None:
    locked = [workspace, *(path for path in workspace.rglob("*") if path.is_dir())]
    for folder in locked:
        folder.chmod(0o555)
    try:
        for command in commands.values():
            done = run(*command.line(workspace), cwd=desk, obey_permissions=True)
            assert done.code == 0, done.err
            assert "is up to date" in done.err
        question = (desk / "questions.jsonl").read_text(encoding="utf-8").split('"')[3]
        words = ("search", question, f"--workspace={workspace}", "systems=[bm25]")
        done = run(*words, cwd=desk, obey_permissions=True)
    finally:
        for folder in locked:
            folder.chmod(0o755)
    assert done.code == 0, done.err
    assert "[note-00.md#0]" in done.out


def test_a_write_that_fails_is_one_line_and_the_next_run_finishes(
    command: Any, desk: Path, made: Path, workspace: Path, run: Any
) -> None:
    """A limit on the size of a file fails as a full disk does, in the middle of a write."""
    if command.verb == "train-language-model":
        pytest.skip("its files are written as those of train, and it takes 5 s")
    output = workspace / command.output
    before = files_of(output)
    again = command.line(workspace, command.change, "overwrite=true")
    done = run(*again, cwd=desk, largest_file=700)
    assert done.code == 74
    assert "a file became too large" in done.line or "the disk is full" in done.line, done.err
    assert files_of(output) == before
    shutil.rmtree(output)
    done = run(*command.line(workspace), cwd=desk)
    assert done.code == 0, done.err
    finished = open_artifact(output)
    assert (
        finished.manifest["payload_hash"]
        == open_artifact(made / command.output).manifest["payload_hash"]
    )


def test_a_full_disk_is_one_line_and_the_next_run_finishes(
    desk: Path, made: Path, tmp_path: Path, run: Any
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no right to mount a small disk")
    try:
        words = ("prepare", "notes", f"output={disk / 'corpus'}")
        done = run(*words, cwd=desk)
        assert done.code != 0
        assert "the disk is full" in done.line
        assert not (disk / "corpus").exists()
        subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
        done = run(*words, cwd=desk)
        assert done.code == 0, done.err
        once = open_artifact(disk / "corpus").content_hash
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    assert once == open_artifact(made / "corpus").content_hash
