import os
from pathlib import Path

import pytest

from spider.encoders import start_files
from spider.encoders.start_files import fingerprint_start_files


def test_content_counts_and_place_does_not(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name / "pooling").mkdir(parents=True)
        (tmp_path / name / "pooling" / "config.json").write_text("{}")
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    assert fingerprint_start_files([one]) == fingerprint_start_files([other]) != {}
    (tmp_path / "one" / "pooling" / "config.json").write_text("[]")
    assert fingerprint_start_files([one]) != fingerprint_start_files([other])
    assert fingerprint_start_files([one, other]) != fingerprint_start_files([other, one])


def test_a_single_file_is_a_source(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[PAD]")
    before = fingerprint_start_files([str(tmp_path / "vocab.txt")])
    (tmp_path / "vocab.txt").write_text("[UNK]")
    assert fingerprint_start_files([str(tmp_path / "vocab.txt")]) != before


def test_names_on_the_hub_are_described_by_themselves() -> None:
    assert fingerprint_start_files(["", "bert-base-uncased"]) == {"0": "bert-base-uncased"}
    assert fingerprint_start_files(["", ""]) == {}


def test_large_files_are_known_by_size_and_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_files, "HASHED_BYTES", 3)
    file = tmp_path / "weights"
    file.write_text("1234")
    before = fingerprint_start_files([str(tmp_path)])
    os.utime(file, ns=(1, 1))
    assert fingerprint_start_files([str(tmp_path)]) != before
