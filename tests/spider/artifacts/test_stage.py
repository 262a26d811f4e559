"""Stages: the manifest that one writes, the hashes in it, and the fingerprint that resumes."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spider.artifacts.artifact import open_artifact
from spider.artifacts.atomic_files import hash_file, hash_json
from spider.artifacts.folder.manifest import MANIFEST, sibling
from spider.artifacts.folder.replacement import FINGERPRINT, LOCK
from spider.artifacts.stage import Stage
from spider.errors import ConfigError, DataError


def stage(output: Path, **changes: Any) -> Stage:
    return Stage(
        **{
            "verb": "mine",
            "kind": "spans",
            "output": output,
            "config": {"size": 3},
            "inputs": {},
            **changes,
        }
    )


def test_the_hashes_are_those_of_the_payload_and_the_configuration(tmp_path: Path) -> None:
    made = stage(tmp_path / "spans")
    with made.writing() as folder:
        (folder / "a.txt").write_text("a")
        (folder / "deep").mkdir()
        (folder / "deep" / "b.txt").write_text("bb")
        artifact = made.finish(counts={"n": 1}, variant="v", details={"x": 1})
    files = {name: hash_file(tmp_path / "spans" / name) for name in ("a.txt", "deep/b.txt")}
    payload = hash_json(files)
    assert artifact.manifest["payload_hash"] == payload
    assert artifact.content_hash == hash_json(
        {"payload": payload, "config": {"size": 3}, "variant": "v", "details": {"x": 1}}
    )
    assert artifact.manifest["files"] == {
        "a.txt": {"size": 1, "blake2b": files["a.txt"]},
        "deep/b.txt": {"size": 2, "blake2b": files["deep/b.txt"]},
    }
    assert json.loads((tmp_path / "spans" / MANIFEST).read_text()) == artifact.manifest
    assert {path.name for path in (tmp_path / "spans").iterdir()} == {MANIFEST, "a.txt", "deep"}


@settings(max_examples=20)
@given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 2)), st.integers(0, 1))
def test_a_fingerprint_is_of_settings_and_not_of_their_order(
    config: dict[str, int], extra: int
) -> None:
    def fingerprint(config: dict[str, int], extra: int) -> str:
        return stage(Path("x"), config=config, fingerprint_extra={"e": extra}).fingerprint

    same = fingerprint(config, extra)
    assert fingerprint(dict(reversed(config.items())), extra) == same
    assert fingerprint({**config, "d": 1}, extra) != same
    assert fingerprint(config, extra + 1) != same


def test_what_a_failed_run_wrote_is_there_for_the_same_settings_alone(tmp_path: Path) -> None:
    def fail(size: int) -> list[str]:
        made = stage(tmp_path / "spans", config={"size": size})
        with suppress(RuntimeError), made.writing() as folder:
            found = sorted(path.name for path in folder.iterdir())
            (folder / "shard").write_text("done")
            raise RuntimeError
        return found

    bookkeeping = sorted([FINGERPRINT, LOCK])
    assert fail(3) == bookkeeping
    assert fail(3) == sorted([*bookkeeping, "shard"])
    assert fail(4) == bookkeeping
    assert sibling(tmp_path / "spans", "partial").is_dir()
    assert not (tmp_path / "spans").exists()


def test_leftovers_are_no_part_of_the_artifact(tmp_path: Path) -> None:
    made = stage(tmp_path / "spans")
    with made.writing() as folder:
        (folder / "state").mkdir()
        (folder / "state" / "big").write_text("x")
        made.finish(counts={}, leftovers=["state"])
    artifact = open_artifact(tmp_path / "spans")
    assert artifact.manifest["files"] == {}
    assert not (tmp_path / "spans" / "state").exists()


def test_volatile_facts_do_not_change_the_hash(tmp_path: Path) -> None:
    hashes = set()
    for speed in (1, 2):
        made = stage(tmp_path / str(speed))
        with made.writing():
            artifact = made.finish(counts={}, volatile={"speed": speed})
        assert artifact.manifest["volatile"]["speed"] == speed
        assert artifact.manifest["volatile"]["seconds"] >= 0
        hashes.add(artifact.content_hash)
    assert len(hashes) == 1


def test_an_output_without_a_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="a folder with a name of its own"):
        stage(Path("/"))


def test_an_error_of_a_write_names_the_folder(tmp_path: Path) -> None:
    stage = Stage(verb="embed", kind="run", output=tmp_path / "out", config={}, inputs={})
    with pytest.raises(OSError, match=r"No space: .*out\.partial") as caught, stage.writing():
        raise OSError(28, "No space")
    assert caught.value.filename == str(tmp_path / "out.partial")


@pytest.mark.parametrize("there_before", [False, True])
def test_a_failed_run_that_nothing_resumes_leaves_nothing(
    there_before: bool, tmp_path: Path
) -> None:
    """Documents without text left an unfinished corpus in a new workspace."""
    workspace = tmp_path / "work"
    if there_before:
        workspace.mkdir()
    made = Stage(verb="prepare", kind="corpus", output=workspace / "corpus", config={}, inputs={})
    with pytest.raises(DataError), made.writing(resumes=False) as folder:
        write_and_raise(folder, DataError("no document with text"))
    assert [*tmp_path.iterdir()] == [workspace] * there_before
    assert not there_before or not [*workspace.iterdir()]


def test_a_run_that_is_interrupted_or_resumes_keeps_what_it_wrote(tmp_path: Path) -> None:
    for number, (error, resumes) in enumerate(
        [(DataError("x"), True), (KeyboardInterrupt(), False), (OSError("full"), False)]
    ):
        output = tmp_path / str(number)
        made = Stage(verb="prepare", kind="corpus", output=output, config={}, inputs={})
        with pytest.raises(type(error)), made.writing(resumes=resumes) as folder:
            write_and_raise(folder, error)
        assert (tmp_path / f"{number}.partial" / "data").is_file()


def write_and_raise(folder: Path, error: BaseException) -> None:
    (folder / "data").write_text("x")
    raise error
