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
    with pytest.raises(DataError, match=r"no column 'text'; the columns are: id, doc"):
        list(HuggingFace(path=str(tmp_path)).documents())


def test_saved_to_disk_with_splits(tmp_path):
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_dict({"text": ["a", "b"]})
    datasets.DatasetDict({"train": rows}).save_to_disk(tmp_path / "saved")
    settings = {"path": str(tmp_path / "saved"), "id_column": None, "title_column": None}
    assert [d.id for d in HuggingFace(**settings).documents()] == ["0", "1"]
    with pytest.raises(DataError, match="no split 'dev'; the splits are: train"):
        list(HuggingFace(**settings, split="dev").documents())


def test_missing_package_and_folder(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="neither written by save_to_disk"):
        list(HuggingFace(path=str(tmp_path)).documents())
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingDependencyError, match=r"spider-odqa\[datasets\]"):
        list(HuggingFace(path="any/name").documents())
