"""What a writer may remove, what a reader leaves alone, and what is finished after a kill."""

import json
import os
import re
import subprocess
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.folder import generation, replacement
from spider.artifacts.folder.manifest import LEFTOVERS, MANIFEST, seal
from spider.artifacts.folder.replacement import FINGERPRINT, LOCK, REPLACED
from spider.artifacts.stage import Stage
from spider.errors import ArtifactError, ConfigError
from spider.health.artifacts import verify


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader need not wait for the second rename: no writer is alive."""
    monkeypatch.setattr(generation, "PATIENCE", 0.0)


def stage(output: Path, size: int = 1, **more: Any) -> Stage:
    return Stage(
        verb="mine", kind="spans", output=output, config={"size": size}, inputs={},
        overwrite=True, **more,
    )  # fmt: skip


def write(output: Path, text: str = "new", size: int = 1) -> Artifact:
    made = stage(output, size)
    with made.writing() as folder:
        (folder / "data.txt").write_text(text)
        (folder / "state").mkdir(exist_ok=True)
        (folder / "state" / "step").write_text("hours")
        return made.finish(counts={}, leftovers=["state"])


def tree(folder: Path) -> dict[str, str]:
    """Return every name below a folder, with the target of a link and the text of a file."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else path.read_text()
        if path.is_file()
        else "/"
        for path in sorted(folder.rglob("*"))
    }


class KilledError(BaseException):
    """The process is dead: nothing after it may tidy up."""


def killed(output: Path, place: str, text: str = "new", size: int = 1, *, call: int = 1) -> None:
    """Write, and die where a function of the replacement would be called the given time."""
    calls: list[int] = []
    function = getattr(replacement, place)

    def die(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == call:
            raise KilledError
        return function(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replacement, place, die)
        with pytest.raises(KilledError):
            write(output, text, size)


PLACES = {
    "before the old one is moved": ("replace", 1),
    "between the two renames": ("_promote", 1),
    "after the second rename": ("_tidy", 1),
    "before the old one is dropped": ("_drop_old", 2),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_reader_changes_nothing_after_a_kill_and_the_next_writer_finishes(
    place: tuple[str, int], tmp_path: Path
) -> None:
    output = tmp_path / "spans"
    new = write(tmp_path / "b").content_hash
    old = write(output, "old", size=2).content_hash
    killed(output, place[0], call=place[1])
    before = tree(tmp_path)
    if output.exists():
        assert open_artifact(output).content_hash in (old, new)
    else:
        with pytest.raises(ArtifactError, match="unfinished"):
            open_artifact(output)
    assert tree(tmp_path) == before
    assert write(output).content_hash == new
    assert sorted(tree(output)) == ["data.txt", MANIFEST]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "spans"]


@pytest.mark.parametrize("place", list(PLACES.values())[1:], ids=list(PLACES)[1:])
def test_looking_whether_it_is_up_to_date_finishes_a_replacement(
    place: tuple[str, int], tmp_path: Path
) -> None:
    write(tmp_path / "spans", "old", size=2)
    killed(tmp_path / "spans", place[0], call=place[1])
    assert stage(tmp_path / "spans").up_to_date()
    assert sorted(tree(tmp_path)) == ["spans", "spans/data.txt", f"spans/{MANIFEST}"]


def test_nothing_is_removed_between_the_two_renames(tmp_path: Path) -> None:
    """A reader finds no artifact then, and checkpoints can take longer than it waits."""
    output = tmp_path / "spans"
    write(output, "old", size=2)
    found: list[bool] = []
    remove = replacement._remove

    def looking(entry: Path) -> None:
        found.append((output / MANIFEST).is_file())
        remove(entry)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replacement, "_remove", looking)
        write(output)
    assert found
    assert all(found)
    assert sorted(tree(tmp_path)) == ["spans", "spans/data.txt", f"spans/{MANIFEST}"]


def test_after_the_second_rename_leftovers_are_no_part_and_go_with_the_next_writer(
    tmp_path: Path,
) -> None:
    output = tmp_path / "spans"
    killed(output, "_tidy")
    assert (output / "state" / "step").is_file()
    assert sorted(open_artifact(output).files) == ["data.txt"]
    assert not verify(output).notes
    write(output, "newer", size=3)
    assert sorted(tree(output)) == ["data.txt", MANIFEST]
    # and where removing them is interrupted too
    killed(output, "_tidy", size=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replacement, "_remove", lambda _: (_ for _ in ()).throw(KilledError))
        with pytest.raises(KilledError):
            stage(output, 4).up_to_date()
    assert stage(output, 4).up_to_date()
    assert sorted(tree(output)) == ["data.txt", MANIFEST]


def test_a_persons_folder_with_the_name_of_a_leftover_stays(tmp_path: Path) -> None:
    output = tmp_path / "spans"
    write(output)
    (output / "state").mkdir()
    (output / "state" / "thesis.tex").write_text("precious")
    (output / LOCK).touch()
    assert stage(output).up_to_date()
    with pytest.raises(ArtifactError, match=r"holds state/thesis\.tex, which no verb wrote"):
        write(output, size=2)
    assert (output / "state" / "thesis.tex").read_text() == "precious"


def test_an_interrupted_replacement_with_a_damaged_manifest_loses_nothing(tmp_path: Path) -> None:
    output = tmp_path / "spans"
    killed(output, "_tidy")
    manifest = output / MANIFEST
    manifest.write_text(manifest.read_text().replace('"checksum": "', '"checksum": "0'))
    with pytest.raises(ArtifactError, match="holds state/step, which no verb wrote"):
        write(output, size=2)
    assert (output / "state" / "step").is_file()


def test_an_old_version_alone_is_named_and_not_served(tmp_path: Path) -> None:
    output = tmp_path / "spans"
    write(output, "old")
    killed(output, "_drop_old", "newer", size=2, call=2)
    subprocess.run(["rm", "-r", str(output)], check=True)
    with pytest.raises(ArtifactError, match=r"spans\.old is an older one"):
        open_artifact(output)
    assert not stage(output).up_to_date()
    assert (tmp_path / "spans.old" / "data.txt").read_text() == "old"
    write(output, "third")
    assert (output / "data.txt").read_text() == "third"
    assert not (tmp_path / "spans.old").exists()


@pytest.mark.parametrize("backup", ["a copy", "a folder", "a link", "a file"])
def test_a_persons_old_version_stays(backup: str, tmp_path: Path) -> None:
    output, old, precious = tmp_path / "spans", tmp_path / "spans.old", tmp_path / "precious"
    write(output, "old")
    write(precious, "precious")
    if backup == "a copy":
        subprocess.run(["cp", "-r", str(output), str(old)], check=True)
    elif backup == "a folder":
        old.mkdir()
        (old / "thesis.tex").write_text("precious")
    elif backup == "a link":
        old.symlink_to(precious)
    else:
        old.write_text("precious")
    before = tree(tmp_path)
    assert open_artifact(output)
    with pytest.raises(ArtifactError, match=r"spans\.old is not of this program"):
        write(output, size=3)
    assert tree(tmp_path) == before
    # it is in nobody's way where nothing is replaced
    subprocess.run(["rm", "-r", str(output)], check=True)
    write(output, size=3)
    assert {name: text for name, text in tree(tmp_path).items() if "precious" in name} == {
        name: text for name, text in before.items() if "precious" in name
    }
    assert os.path.lexists(old)


@pytest.mark.parametrize("there", ["a thesis", "a link", "a link to nothing", "a file", "a copy"])
def test_a_persons_partial_folder_stays(there: str, tmp_path: Path) -> None:
    partial, precious = tmp_path / "spans.partial", tmp_path / "precious"
    write(precious, "precious")
    if there == "a thesis":
        partial.mkdir()
        (partial / "chapter.tex").write_text("precious")
    elif there == "a link":
        partial.symlink_to(precious)
    elif there == "a link to nothing":
        partial.symlink_to(tmp_path / "nothing")
    elif there == "a file":
        partial.write_text("precious")
    else:
        subprocess.run(["cp", "-r", str(precious), str(partial)], check=True)
    before = tree(tmp_path)
    with pytest.raises(
        (ArtifactError, ConfigError), match=r"not of this program|symbolic link|cannot write"
    ):
        write(tmp_path / "spans")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", ["/tmp/x", "..", ".", "", "a/b", "../photos", "a\\b", "a\0b", 3])
def test_leftovers_of_a_strangers_manifest_are_names_or_refused(
    name: object, tmp_path: Path
) -> None:
    """Opening somebody's workspace deletes nothing, and neither does building in it."""
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "one.jpg").write_text("precious")
    write(tmp_path / "work" / "spans", size=5)
    partial = tmp_path / "work" / "spans.partial"
    (tmp_path / "work" / "spans").rename(partial)
    replacement.record_fingerprint(partial, stage(tmp_path / "work" / "spans", 5).fingerprint)
    manifest = json.loads((partial / MANIFEST).read_text())
    leftovers = [str(photos) if name == "/tmp/x" else name]
    (partial / MANIFEST).write_text(json.dumps(seal({**manifest, LEFTOVERS: leftovers})))
    before = tree(tmp_path)
    with pytest.raises(ArtifactError):
        open_artifact(tmp_path / "work" / "spans")
    assert tree(tmp_path) == before
    write(tmp_path / "work" / "spans", size=5)
    assert (photos / "one.jpg").read_text() == "precious"
    assert sorted(tree(tmp_path / "work" / "spans")) == ["data.txt", MANIFEST]


@pytest.mark.parametrize("place", ["data.txt", "state", ".lock", "deep/link"])
def test_no_link_inside_an_unfinished_artifact_is_followed(place: str, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "step").write_text("precious")
    partial = tmp_path / "spans.partial"
    (partial / "deep").mkdir(parents=True)
    replacement.record_fingerprint(partial, stage(tmp_path / "spans").fingerprint)
    target = precious if place in ("state", "deep/link") else precious / "step"
    (partial / place).symlink_to(target)
    with pytest.raises((ArtifactError, ConfigError), match=r"symbolic link"):
        write(tmp_path / "spans")
    assert (precious / "step").read_text() == "precious"


def test_a_link_in_the_place_of_the_artifact_is_read_and_not_replaced(tmp_path: Path) -> None:
    write(tmp_path / "disk" / "spans")
    (tmp_path / "spans").symlink_to(tmp_path / "disk" / "spans")
    assert open_artifact(tmp_path / "spans")
    with pytest.raises(ArtifactError, match="is a symbolic link, which is not replaced"):
        write(tmp_path / "spans", size=2)


@pytest.mark.parametrize("name", ["notes.txt", ".notes.txt", ".git/config", "deep/.env"])
def test_a_persons_file_in_an_artifact_is_not_lost(name: str, tmp_path: Path) -> None:
    write(tmp_path / "spans")
    (tmp_path / "spans" / ".DS_Store").write_text("of the system")
    write(tmp_path / "spans", size=2)
    place = tmp_path / "spans" / name
    place.parent.mkdir(exist_ok=True)
    place.write_text("precious")
    with pytest.raises(ArtifactError, match=f"holds {re.escape(name)}, which no verb wrote"):
        write(tmp_path / "spans", size=3)
    assert place.read_text() == "precious"


@pytest.mark.parametrize(
    ("old", "new"), [('"schema": 2', '"schema": 1'), ('"checksum": "', '"checksum": "0'), ("}", "")]
)
def test_a_persons_file_is_not_lost_with_a_manifest_that_is_damaged_or_of_another_version(
    old: str, new: str, tmp_path: Path
) -> None:
    write(tmp_path / "spans")
    manifest = tmp_path / "spans" / MANIFEST
    manifest.write_text(manifest.read_text().replace(old, new))
    (tmp_path / "spans" / "notes.txt").write_text("precious")
    with pytest.raises(ArtifactError, match=r"holds notes\.txt"):
        write(tmp_path / "spans", size=2)
    (tmp_path / "spans" / "notes.txt").unlink()
    write(tmp_path / "spans", "again", size=2)
    assert (tmp_path / "spans" / "data.txt").read_text() == "again"


def test_the_manifest_of_another_program_makes_no_artifact(tmp_path: Path) -> None:
    (tmp_path / "spans").mkdir()
    (tmp_path / "spans" / MANIFEST).write_text('{"name": "my browser extension", "version": "1"}')
    with pytest.raises(ArtifactError, match="of another program"):
        write(tmp_path / "spans")


@pytest.mark.parametrize("pid", [os.getpid(), 99999], ids=["the same process", "another"])
def test_what_a_killed_atomic_write_left_is_no_payload(pid: int, tmp_path: Path) -> None:
    expected = write(tmp_path / "whole").content_hash
    killed(tmp_path / "spans", "replace")
    for folder in ("", "state"):
        (tmp_path / "spans.partial" / folder / f".data.txt.{pid}.tmp").write_text("torn")
    (tmp_path / "spans.partial" / ".index.faiss.tmp").write_text("torn")
    assert write(tmp_path / "spans").content_hash == expected
    assert sorted(tree(tmp_path / "spans")) == ["data.txt", MANIFEST]


def test_what_the_writer_did_not_declare_is_no_payload(tmp_path: Path) -> None:
    made = stage(tmp_path / "spans")
    with made.writing() as folder:
        for name in ("data.txt", "part-1/a.npy", "part-1/a.txt", ".DS_Store", "deep/er/b"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("x")
        made.finish(counts={}, payload=["data.txt", "part-*/*.npy", "deep/**"])
    assert sorted(open_artifact(tmp_path / "spans").files) == [
        "data.txt", "deep/er/b", "part-1/a.npy",
    ]  # fmt: skip


def test_a_kill_while_other_settings_work_is_removed_leaves_nothing_to_resume_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(tmp_path / "spans", "replace")
    with monkeypatch.context() as patch:
        patch.setattr(replacement, "_remove", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path / "spans", size=2)
    made = stage(tmp_path / "spans")
    with made.writing() as folder:
        assert not (folder / "data.txt").exists()
        made.finish(counts={})


def test_a_writer_that_still_tidies_keeps_the_next_one_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []
    drop = replacement._drop_old

    def intruded(old: Path) -> None:
        monkeypatch.setattr(replacement, "_drop_old", drop)
        with pytest.raises(ArtifactError, match="being written by another process") as caught:
            write(tmp_path / "spans", size=7)
        refused.append(str(caught.value))
        drop(old)

    write(tmp_path / "spans")
    monkeypatch.setattr(replacement, "_drop_old", intruded)
    write(tmp_path / "spans", size=2)
    # once before the old one was moved, and nothing is left
    assert len(refused) == 1
    assert sorted(tree(tmp_path)) == ["spans", "spans/data.txt", f"spans/{MANIFEST}"]


def test_a_refused_writer_leaves_no_folder(tmp_path: Path) -> None:
    write(tmp_path / "spans")
    with (tmp_path / "spans" / LOCK).open("w") as lock:
        flock(lock, LOCK_EX)
        with pytest.raises(ArtifactError, match="being written"):
            write(tmp_path / "spans", size=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["spans"]


def test_a_damaged_record_stops_the_writer(tmp_path: Path) -> None:
    killed(tmp_path / "spans", "replace")
    (tmp_path / "spans.partial" / FINGERPRINT).write_text('["ab')
    with pytest.raises(ArtifactError, match="is not of this program"):
        write(tmp_path / "spans")
    assert (tmp_path / "spans.partial" / "data.txt").read_text() == "new"


def test_a_marker_of_another_program_is_none(tmp_path: Path) -> None:
    write(tmp_path / "spans")
    (tmp_path / "spans.old").mkdir()
    (tmp_path / "spans.old" / REPLACED).write_text('{"program": "another"}')
    with pytest.raises(ArtifactError, match="is not of this program"):
        write(tmp_path / "spans", size=2)


def test_a_damaged_complete_partial_is_made_again_and_not_promoted(tmp_path: Path) -> None:
    killed(tmp_path / "spans", "_promote")
    (tmp_path / "spans.partial" / "data.txt").write_text("nex")
    assert not stage(tmp_path / "spans").up_to_date()
    assert not (tmp_path / "spans").exists()
    assert (write(tmp_path / "spans").path / "data.txt").read_text() == "new"


def test_a_writer_that_loses_its_lock_to_another_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(tmp_path / "spans", "replace")
    lock = replacement._lock
    refused = ArtifactError("is being written by another process")

    def once(*places: Path) -> int:
        monkeypatch.setattr(replacement, "_lock", lambda *_: (_ for _ in ()).throw(refused))
        return lock(*places)

    monkeypatch.setattr(replacement, "_settle", lambda *_: True)
    monkeypatch.setattr(replacement, "_lock", once)
    with pytest.raises(ArtifactError, match="another process"), replacement.locked(tmp_path / "s"):
        pass
