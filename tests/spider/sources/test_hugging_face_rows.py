from pathlib import Path

import pytest

from spider.errors import DataError
from spider.sources.hugging_face_rows import column, find_parquet, fingerprint_rows, read_rows

HUB = {"subset": None, "revision": None, "streaming": True}


def test_columns_and_their_fields() -> None:
    row = {"id": 1, "answers": {"text": ["a"], "more": {"x": 2}}}
    assert column(row, "id") == 1
    assert column(row, "answers.text") == ["a"]
    assert column(row, "answers.more.x") == 2
    for name in ("none", "answers.none", "id.x"):
        with pytest.raises(DataError, match=f"no column '{name}'; the columns are: id, answers"):
            column(row, name)


def test_parquet_files_of_a_path(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    files = [tmp_path / "a.parquet", tmp_path / "b" / "c.parquet"]
    for file in [*files, tmp_path / "d.txt"]:
        file.write_bytes(b"")
    assert find_parquet(tmp_path) == files
    assert find_parquet(files[0]) == files[:1]
    assert find_parquet(tmp_path / "d.txt") == []
    assert find_parquet(tmp_path / "none") == []


def test_fingerprints_of_local_files_alone(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"123")
    assert [row[1] for row in fingerprint_rows(str(tmp_path))] == [3]
    assert [row[1] for row in fingerprint_rows(str(tmp_path / "a.parquet"))] == [3]
    assert fingerprint_rows("owner/name-on-the-hub") == []


def test_rows_of_a_saved_data_set_with_and_without_splits(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_dict({"text": ["a", "b"]})
    rows.save_to_disk(tmp_path / "plain")
    datasets.DatasetDict({"dev": rows}).save_to_disk(tmp_path / "split")
    for name, split in (("plain", "any"), ("split", "dev")):
        found = read_rows(str(tmp_path / name), split=split, **HUB)
        assert [row["text"] for row in found] == ["a", "b"]
    with pytest.raises(DataError, match="no split 'test'; the splits are: dev"):
        list(read_rows(str(tmp_path / "split"), split="test", **HUB))


def test_a_damaged_file_names_the_data_set(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="cannot be read"):
        list(read_rows(str(tmp_path), split="train", **HUB))
