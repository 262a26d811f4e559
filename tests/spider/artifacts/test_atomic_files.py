import os
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from spider.artifacts.atomic_files import (
    hash_file,
    hash_json,
    save_array,
    write_atomically,
    write_json,
    write_text,
)
from spider.errors import ConfigError
from spider.reading import read_json


def test_interrupted_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_text(path, "old")

    def dies(file: BinaryIO) -> None:
        file.write(b"new")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, dies)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_what_is_no_regular_file_is_left_alone(tmp_path: Path) -> None:
    # as root the rename would have put a file in a device's place
    os.mkfifo(tmp_path / "device")
    (tmp_path / "folder").mkdir()
    for name in ("device", "folder"):
        with pytest.raises(ConfigError, match=f"{name} is not a regular file"):
            write_text(tmp_path / name, "x")
    assert (tmp_path / "device").is_fifo()


def test_a_link_to_a_file_is_replaced_and_the_file_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    for name, target in (("link", "file"), ("dangling", "nowhere")):
        (tmp_path / name).symlink_to(target)
        write_text(tmp_path / name, "new")
        assert not (tmp_path / name).is_symlink()
        assert (tmp_path / name).read_text() == "new"
    assert (tmp_path / "file").read_text() == "old"
    assert not (tmp_path / "nowhere").exists()


def test_lone_surrogate_is_replaced(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "a\ud800b")
    assert (tmp_path / "file").read_text(encoding="utf-8") == "a?b"


def test_json_and_arrays_come_back(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"é": [1, None]})
    assert read_json(tmp_path / "a.json") == {"é": [1, None]}
    name = os.fsdecode(b"notes\xff")
    write_json(tmp_path / "name.json", {name: [name]})
    assert read_json(tmp_path / "name.json") == {name: [name]}
    save_array(tmp_path / "a.npy", np.arange(3))
    assert np.load(tmp_path / "a.npy", allow_pickle=False).tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "b.json", {"x": float("nan")})
    with pytest.raises(ValueError):
        save_array(tmp_path / "c.npy", np.array([object()]))


def test_hashes_see_content_alone(tmp_path: Path) -> None:
    assert hash_json({"a": 1, "b": 2}) == hash_json({"b": 2, "a": 1}) != hash_json({"a": 1, "b": 3})
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"x" * (3 << 20))
    assert hash_file(tmp_path / "a") == hash_file(tmp_path / "b")
