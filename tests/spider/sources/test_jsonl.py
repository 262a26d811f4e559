import gzip
import json

import pytest

from spider.corpus.document import Document
from spider.errors import DataError
from spider.sources.document_source import DocumentSource
from spider.sources.jsonl import JsonLines


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_rows_of_several_files(tmp_path):
    write_jsonl(tmp_path / "a.jsonl", [{"id": 7, "title": "T", "text": "é🦎"}])
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b'{"id": "x/y", "text": "t"}\n'))
    source = JsonLines(path=str(tmp_path / "*.jsonl*"))
    assert list(source.documents()) == [
        Document(id="7", title="T", text="é🦎"),
        Document(id="x/y", title="", text="t"),
    ]
    assert source.counts == {"rows_read": 2}
    assert isinstance(source, DocumentSource)
    assert len(source.fingerprint()) == 2


def test_other_fields_and_numbered_rows(tmp_path):
    path = write_jsonl(tmp_path / "a.jsonl", [{"body": " "}, {"body": "b"}])
    source = JsonLines(path=path, id_field=None, title_field=None, text_field="body")
    assert [d.id for d in source.documents()] == ["1"]
    assert source.counts == {"rows_read": 1, "skipped_empty": 1}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "1"}, "no field 'text'; the fields are: id"),
        ({"id": "1", "text": ["a"]}, "field 'text': expected a string, got list"),
        ({"id": True, "text": "a"}, "field 'id': expected a string, got bool"),
    ],
)
def test_malformed_row_names_path_and_line(tmp_path, row, message):
    path = write_jsonl(tmp_path / "a.jsonl", [{"id": "0", "text": "a"}, row])
    with pytest.raises(DataError, match=rf"a\.jsonl:2: {message}"):
        list(JsonLines(path=path).documents())
