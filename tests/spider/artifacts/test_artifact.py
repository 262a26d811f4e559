import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.stage import Stage
from spider.errors import ArtifactError, ConfigError


def stage(output: Path, *, inputs: dict[str, Artifact] | None = None, **config: Any) -> Stage:
    overwrite = config.pop("overwrite", False)
    return Stage(
        verb="mine",
        kind="spans",
        output=output,
        config=config,
        inputs=inputs or {},
        overwrite=overwrite,
    )


def write(output: Path, text: str = "hello", **config: Any) -> Artifact:
    made = stage(output, **config)
    with made.writing() as folder:
        (folder / "data.txt").write_text(text)
        return made.finish(counts={"lines": 1}, variant="plain", details={"depth": 2})


def test_finished_artifact_opens_with_what_was_recorded(tmp_path: Path) -> None:
    write(tmp_path / "spans", size=3)
    opened = open_artifact(tmp_path / "spans", kind="spans")
    assert opened.counts == {"lines": 1}
    assert (opened.variant, opened.details, opened.config) == ("plain", {"depth": 2}, {"size": 3})
    assert sorted(p.name for p in opened.path.iterdir()) == ["data.txt", "manifest.json"]
    assert not (tmp_path / "spans.partial").exists()


def test_content_hash_covers_payload_and_configuration_and_no_clock(tmp_path: Path) -> None:
    first = write(tmp_path / "a", size=3)
    assert write(tmp_path / "b", size=3).content_hash == first.content_hash
    assert write(tmp_path / "c", size=4).content_hash != first.content_hash
    assert write(tmp_path / "d", text="other", size=3).content_hash != first.content_hash


def test_what_is_unhashed_is_left_out_of_the_hash_but_checked_for_size(tmp_path: Path) -> None:
    hashes = []
    for name in ("a", "b"):
        made = stage(tmp_path / name)
        with made.writing() as folder:
            (folder / "lucene").mkdir()
            (folder / "lucene" / "segment").write_text(name)
            (folder / "README.md").write_text(name)
            hashes.append(made.finish(counts={}, unhashed=["lucene", "README.md"]).content_hash)
    assert hashes[0] == hashes[1]
    (tmp_path / "a" / "lucene" / "segment").unlink()
    with pytest.raises(ArtifactError, match="is missing"):
        open_artifact(tmp_path / "a")


def test_up_to_date_only_for_the_same_settings_and_inputs(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus")
    other = write(tmp_path / "other", text="x")
    made = stage(tmp_path / "spans", inputs={"corpus": corpus}, size=3)
    assert not made.up_to_date()
    with made.writing() as folder:
        (folder / "data.txt").write_text("x")
        made.finish(counts={})
    assert stage(tmp_path / "spans", inputs={"corpus": corpus}, size=3).up_to_date()
    assert not stage(tmp_path / "spans", inputs={"corpus": corpus}, size=4).up_to_date()
    assert not stage(tmp_path / "spans", inputs={"corpus": other}, size=3).up_to_date()


def test_parent_is_found_by_relative_path_and_checked_by_hash(tmp_path: Path) -> None:
    corpus = write(tmp_path / "work" / "corpus")
    made = stage(tmp_path / "work" / "spans", inputs={"corpus": corpus})
    with made.writing():
        made.finish(counts={})
    (tmp_path / "work").rename(tmp_path / "moved")
    spans = open_artifact(tmp_path / "moved" / "spans")
    assert spans.parent("corpus").content_hash == corpus.content_hash
    write(tmp_path / "moved" / "corpus", text="changed", overwrite=True, size=1)
    with pytest.raises(ArtifactError, match=corpus.content_hash):
        spans.parent("corpus")
    with pytest.raises(ArtifactError, match="no input 'encoder'"):
        spans.parent("encoder")


def test_existing_output_is_replaced_only_on_request(tmp_path: Path) -> None:
    write(tmp_path / "spans", size=1)
    with pytest.raises(ArtifactError, match="overwrite=true"):
        write(tmp_path / "spans", size=2)
    replacing = stage(tmp_path / "spans", size=2, overwrite=True)
    assert replacing.previous is not None
    assert replacing.previous.config == {"size": 1}
    write(tmp_path / "spans", size=2, overwrite=True)
    assert open_artifact(tmp_path / "spans").config == {"size": 2}
    assert not (tmp_path / "spans.old").exists()


def test_folder_that_is_not_ours_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "spans").mkdir()
    (tmp_path / "spans" / "thesis.txt").write_text("precious")
    with pytest.raises(ArtifactError, match="is not an artifact; choose"):
        write(tmp_path / "spans", overwrite=True)


def test_interrupted_work_is_kept_for_the_same_settings_and_dropped_for_others(
    tmp_path: Path,
) -> None:
    class KilledError(Exception):
        pass

    def half(size: int) -> None:
        made = stage(tmp_path / "spans", size=size)
        with made.writing() as folder:
            assert not (folder / "half").exists()
            (folder / "half").write_text("x")
            raise KilledError

    with pytest.raises(KilledError):
        half(1)
    with pytest.raises(ArtifactError, match="unfinished spans artifact"):
        open_artifact(tmp_path / "spans", kind="spans")
    with pytest.raises(KilledError):
        half(2)
    made = stage(tmp_path / "spans", size=2)
    with made.writing() as folder:
        assert (folder / "half").exists()
        made.finish(counts={})


def test_two_writers_exclude_each_other(tmp_path: Path) -> None:
    made = stage(tmp_path / "spans")
    with made.writing():
        with pytest.raises(ArtifactError, match="another process"):
            stage(tmp_path / "spans").writing().__enter__()
        made.finish(counts={})


def test_leftovers_outlast_the_hashing_and_are_no_part_of_the_artifact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def attempt(output: Path, *, leftover: bool = True) -> Artifact:
        made = stage(output)
        with made.writing() as folder:
            (folder / "data.txt").write_text("x")
            if leftover:
                (folder / "state").mkdir(exist_ok=True)
                (folder / "state" / "weights").write_text("hours of work")
            return made.finish(counts={}, leftovers=["state", "never"])

    plain = attempt(tmp_path / "plain", leftover=False)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    for name in ("file_table.describe", "write_json"):
        with monkeypatch.context() as patch:
            patch.setattr(f"spider.artifacts.stage.{name}", die)
            with pytest.raises(KeyboardInterrupt):
                attempt(tmp_path / "spans")
        assert (tmp_path / "spans.partial" / "state" / "weights").is_file()
    made = attempt(tmp_path / "spans")
    assert made.content_hash == plain.content_hash
    assert sorted(p.name for p in made.path.iterdir()) == ["data.txt", "manifest.json"]


def test_leaving_without_finishing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="without finishing"), stage(tmp_path / "a").writing():
        pass


@pytest.mark.parametrize("damage", ["truncate", "remove", "schema", "json"])
def test_damage_is_named(tmp_path: Path, damage: str) -> None:
    path = write(tmp_path / "spans").path
    manifest = json.loads((path / "manifest.json").read_text())
    if damage == "truncate":
        (path / "data.txt").write_text("h")
    elif damage == "remove":
        (path / "data.txt").unlink()
    elif damage == "schema":
        (path / "manifest.json").write_text(json.dumps({**manifest, "schema": 99}))
    else:
        (path / "manifest.json").write_text("{")
    with pytest.raises(ArtifactError) as caught:
        open_artifact(path)
    assert str(path) in str(caught.value)


def test_other_kind_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "spans")
    with pytest.raises(ArtifactError, match="this is a spans artifact, expected a corpus"):
        open_artifact(tmp_path / "spans", kind="corpus")


KILLED = """
import os, signal, sys
from pathlib import Path
from spider.artifacts.stage import Stage
s = Stage(verb="v", kind="spans", output=Path(sys.argv[1]), config={}, inputs={}, overwrite=True)
with s.writing() as folder:
    (folder / "shard").write_text("done")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_writer_leaves_the_old_artifact_whole_and_releases_its_lock(tmp_path: Path) -> None:
    before = write(tmp_path / "spans")
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "spans")], check=False)
    assert done.returncode == -9
    assert open_artifact(tmp_path / "spans").content_hash == before.content_hash
    made = Stage(
        verb="v", kind="spans", output=tmp_path / "spans", config={}, inputs={}, overwrite=True
    )
    with made.writing() as folder:
        assert (folder / "shard").read_text() == "done"
        made.finish(counts={})


@pytest.mark.parametrize("text", ["", "[]", "3", '{"schema": 1}', "{}"])
def test_a_manifest_that_is_none_of_ours_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ArtifactError, match=r"manifest|JSON"):
        open_artifact(tmp_path)


def test_a_missing_artifact_is_told_with_the_verb_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"no such index artifact; spider build writes it"):
        open_artifact(tmp_path / "index", kind="index")


def test_a_place_that_cannot_be_written_is_told_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    made = stage(tmp_path / "file" / "spans")
    with pytest.raises(ConfigError, match=r"cannot write .*Not a directory; workspace=FOLDER"):
        made.writing().__enter__()


def test_an_artifact_of_another_kind_is_never_replaced(tmp_path: Path) -> None:
    write(tmp_path / "spans")
    other = Stage(
        verb="prepare", kind="corpus", output=tmp_path / "spans", config={}, inputs={},
        overwrite=True,
    )  # fmt: skip
    with (
        pytest.raises(ArtifactError, match="is a spans artifact and is not replaced by a corpus"),
        other.writing(),
    ):
        pass
    assert open_artifact(tmp_path / "spans", kind="spans")
    # a damaged one of the same kind is
    manifest = tmp_path / "spans" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"payload_hash"', '"payload_hasi"'))
    write(tmp_path / "spans", overwrite=True)
    # one that may be another program's is not
    manifest.write_text("[")
    with pytest.raises(ArtifactError, match="is damaged or of another program; remove it"):
        write(tmp_path / "spans", overwrite=True)


def test_what_is_read_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "way").symlink_to(tmp_path)
    parent = write(tmp_path / "spans")
    again = Stage(
        verb="mine", kind="spans", output=tmp_path / "way" / "spans", config={},
        inputs={"spans": parent}, overwrite=True,
    )  # fmt: skip
    with pytest.raises(ArtifactError, match="is the spans that this verb reads"), again.writing():
        pass


@pytest.mark.parametrize("output", ["/", ".", ""])
def test_an_output_needs_a_name(output: str) -> None:
    with pytest.raises(ConfigError, match="expected a folder with a name"):
        stage(Path(output))
