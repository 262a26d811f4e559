import sys

import pyarrow as pa
import pytest
from pyarrow import parquet

from spider.corpus.document import Document
from spider.errors import DataError, MissingDependencyError
from spider.sources.hugging_face import HuggingFace


def test_parquet_and_nested_columns(tmp_path):
    pytest.importorskip("datasets")
    table = pa.table(
        {"id": [5, 6], "doc": [{"title": "T", "body": "é"}, {"title": None, "body": " "}]}
    )
    parquet.write_table(table, tmp_path / "rows.parquet")
    source = HuggingFace(path=str(tmp_path), title_column="doc.title", text_column="doc.body")
    assert list(source.documents()) == [Document(id="5", title="T", text="é")]
    assert source.counts == {"rows_read": 1, "skipped_empty": 1}
    assert source.fingerprint()
    with pytest.raises(
        DataError, match=r"row 0: no field 'text'; the fields are: id, doc; .*text_column"
    ):
        list(HuggingFace(path=str(tmp_path)).documents())


@pytest.mark.parametrize(
    ("column", "value"),
    [("title", ["Siege", "of"]), ("text", None), ("text", ["a"]), ("id", None), ("id", 1.0)],
)
def test_a_value_of_another_type_is_refused_by_its_row(tmp_path, column, value):
    pytest.importorskip("datasets")
    row = {"id": "1", "title": "T", "text": "t"} | {column: value}
    parquet.write_table(
        pa.table({name: [own] for name, own in row.items()}), tmp_path / "a.parquet"
    )
    with pytest.raises(DataError, match=rf"row 0: field '{column}': expected"):
        list(HuggingFace(path=str(tmp_path / "a.parquet"), id_column="id").documents())


def test_saved_to_disk_with_splits(tmp_path):
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_dict({"text": ["a", "b"]})
    datasets.DatasetDict({"train": rows}).save_to_disk(tmp_path / "saved")
    settings = {"path": str(tmp_path / "saved"), "title_column": None}
    source = HuggingFace(**settings)
    (first, second) = source.documents()
    assert source.counts == {"rows_read": 2, "ids_made": 2}
    assert source.places_of(second.id) == ["row 1"]
    assert first.id != second.id
    with pytest.raises(DataError, match="no split 'dev'; the splits are: train"):
        list(HuggingFace(**settings, split="dev").documents())


def test_missing_package_and_folder(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="neither written by save_to_disk"):
        list(HuggingFace(path=str(tmp_path)).documents())
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingDependencyError, match=r"spider-odqa\[datasets\]"):
        list(HuggingFace(path="any/name").documents())
