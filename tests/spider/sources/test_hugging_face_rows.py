import logging
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from spider.errors import DataError
from spider.sources.hugging_face_rows import choose_split, fingerprint_rows, read_rows

HUB = {"subset": None, "revision": None, "streaming": True, "usual_split": "validation"}


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
    for name, split in (("plain", None), ("plain", "train"), ("split", None), ("split", "val")):
        found = read_rows(str(tmp_path / name), split=split, **HUB)
        assert [row["text"] for row in found] == ["a", "b"]
    for name, splits in (("plain", "train"), ("split", "dev")):
        with pytest.raises(DataError, match=f"no split 'test'; the splits are: {splits}"):
            list(read_rows(str(tmp_path / name), split="test", **HUB))


def test_a_reader_that_stops_early_leaves_no_thread_of_pyarrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("datasets")
    collections: list[int] = []
    monkeypatch.setattr("gc.collect", lambda: collections.append(1))
    parquet.write_table(pa.table({"text": ["a", "b"]}), tmp_path / "one.parquet")
    rows = read_rows(str(tmp_path / "one.parquet"), split=None, **HUB)
    next(rows)
    collections.clear()
    rows.close()
    assert collections


def test_the_library_writes_no_line_of_its_own(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("datasets")
    logging.getLogger("datasets").addHandler(logging.StreamHandler(sys.stderr))
    (tmp_path / "cut.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="cannot be read"):
        list(read_rows(str(tmp_path / "cut.parquet"), split=None, **HUB))
    assert capfd.readouterr().err == ""


@pytest.fixture
def layout(tmp_path: Path):
    """Write one-row Parquet files whose row is the file's name."""
    pytest.importorskip("datasets")

    def write(*names: str, readme: str = "") -> str:
        for name in names:
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.suffix == ".parquet":
                parquet.write_table(pa.table({"text": [file.stem]}), file)
            elif file.suffix == ".csv":
                file.write_text(f"text\n{file.stem}\n")
            else:
                file.write_text(f'{{"text": "{file.stem}"}}\n')
        if readme:
            (tmp_path / "README.md").write_text(f"---\n{readme}---\n# A data set\n")
        return str(tmp_path)

    return write


def texts(path: str, split: str | None = None, **settings: object) -> list[str]:
    return [row["text"] for row in read_rows(path, split=split, **{**HUB, **settings})]


def test_splits_by_the_names_of_files(layout) -> None:
    shards = [f"data/train-0000{n}-of-00002.parquet" for n in range(2)]
    path = layout(
        *shards, "data/validation-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"
    )
    assert texts(path) == ["validation-00000-of-00001"]
    assert texts(path, "train") == [Path(shard).stem for shard in shards]
    assert texts(path, "test") == ["test-00000-of-00001"]
    for wrong in ("nonsense", "dev_seen", ""):
        with pytest.raises(
            DataError, match=r"no split .*; the splits are: train, validation, test"
        ):
            texts(path, wrong)


@pytest.mark.parametrize("suffix", ["parquet", "jsonl", "csv"])
def test_splits_by_the_names_of_folders(layout, suffix: str) -> None:
    path = layout(f"train/a.{suffix}", f"dev/b.{suffix}", f"test/c.{suffix}")
    assert texts(path) == texts(path, "dev") == texts(path, "validation") == ["b"]
    assert texts(path, usual_split="train") == ["a"]


def test_splits_that_the_readme_declares(layout) -> None:
    declared = "".join(
        f"  - split: {split}\n    path: {name}.parquet\n"
        for split, name in (("a", "x"), ("b", "y"))
    )
    readme = f"configs:\n- config_name: default\n  data_files:\n{declared}"
    path = layout("x.parquet", "y.parquet", readme=readme)
    assert texts(path, "b") == ["y"]
    with pytest.raises(DataError, match="split: none is named; the splits are: a, b"):
        texts(path)


def test_configurations_of_the_readme(layout) -> None:
    each = "".join(f"- config_name: {n}\n  data_files: {n}/*.parquet\n" for n in ("en", "de"))
    path = layout("en/x.parquet", "de/y.parquet", readme=f"configs:\n{each}")
    assert texts(path, subset="de") == ["y"]
    with pytest.raises(DataError, match=r"\['en', 'de'\]; subset=NAME chooses one"):
        texts(path)


def test_files_without_splits_are_one(layout, caplog: pytest.LogCaptureFixture) -> None:
    path = layout("rows.parquet", "more/rows2.parquet")
    assert texts(path) == texts(path, "train") == ["rows2", "rows"]
    assert texts(f"{path}/rows.parquet") == ["rows"]
    with pytest.raises(DataError, match="no split 'nonsense'; the splits are: train"):
        texts(path, "nonsense")
    layout("train.parquet")
    assert texts(path) == ["train"]
    assert "2 files in no split, not read" in caplog.text


def test_the_choice_of_a_split() -> None:
    assert choose_split(["train", "dev"], None, "validation", "x") == "dev"
    assert choose_split(["val", "dev"], "dev", "train", "x") == "dev"
    assert choose_split(["odd"], None, "train", "x") == "odd"
    with pytest.raises(DataError, match="none is named"):
        choose_split(["train", "test"], None, "validation", "x")


def test_damaged_metadata_names_the_data_set(layout) -> None:
    with pytest.raises(DataError, match="cannot be read") as caught:
        texts(layout("train.parquet", readme="configs: [\n"))
    assert "\n" not in str(caught.value)


def test_a_damaged_file_names_the_data_set(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="cannot be read"):
        list(read_rows(str(tmp_path), split="train", **HUB))


def test_a_local_file_tells_the_hub_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``datasets`` counts each load with a request, which also takes seconds without a network."""
    pytest.importorskip("datasets")
    import datasets.load

    asked: list[str] = []
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(datasets.config, "HF_UPDATE_DOWNLOAD_COUNTS", True)
    monkeypatch.setattr(datasets.load, "get_session", lambda: asked.append("session"))
    (tmp_path / "a.jsonl").write_text('{"text": "silt"}\n')
    rows = read_rows(
        str(tmp_path / "a.jsonl"), subset=None, split=None, usual_split="train", revision=None,
        streaming=False,
    )  # fmt: skip
    assert [*rows] == [{"text": "silt"}]
    assert not asked


def test_parquet_without_rows(tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    column = pa.table({"text": pa.array([], pa.string())})
    parquet.write_table(column, tmp_path / "train-0.parquet")
    assert texts(str(tmp_path / "train-0.parquet")) == []
    # its first row group has no row
    with parquet.ParquetWriter(tmp_path / "train-1.parquet", column.schema) as writer:
        writer.write_table(column)
        writer.write_table(pa.table({"text": ["a", "b"]}))
    with parquet.ParquetWriter(tmp_path / "train-2.parquet", column.schema):
        pass
    assert texts(str(tmp_path)) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ('{"text": "a"}\n{"text": "a", "text": "b"}\n', 2),
        ('[\n{"text": "a"},\n{"text": "a", "text": "b"}]', 3),
        ('[{"text": "a", "meta": {"x": 1, "x": 2}}]', 1),
    ],
)
@pytest.mark.parametrize("name", ["rows.json", "train.jsonl"])
def test_a_repeated_key_of_local_json_is_refused(
    tmp_path: Path, content: str, line: int, name: str
) -> None:
    pytest.importorskip("datasets")
    (tmp_path / name).write_text(content)
    for path in (tmp_path / name, tmp_path):
        with pytest.raises(DataError, match=rf"{name}:{line}: .*stands twice in one object"):
            texts(str(path))
