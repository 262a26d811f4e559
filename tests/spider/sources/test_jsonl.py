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


def test_other_fields_and_ids_from_the_content(tmp_path):
    rows = [{"in": {"body": " "}}, {"in": {"body": "b"}}, {"in": {"body": "c"}}]
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    source = JsonLines(path=path, title_field=None, text_field="in.body")
    ids = {d.text: d.id for d in source.documents()}
    assert source.counts == {"rows_read": 2, "skipped_empty": 1, "ids_made": 3}
    write_jsonl(path, rows[::-1])
    assert {d.text: d.id for d in source.documents()} == ids


def test_places_of_an_id(tmp_path):
    rows = [{"id": "a", "text": "one"}, {"id": "b", "text": "two"}, {"id": "a", "text": "three"}]
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    assert JsonLines(path=path).places_of("a") == [f"{path}:1", f"{path}:3"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "1"}, "no field 'text'; the fields are: id"),
        ({"id": "1", "body": "a"}, r"no field 'text'; .*; source\.text_field=NAME says which one"),
        ({"id": "1", "text": ["a"]}, r"field 'text': expected a string, got \['a'\]"),
        ({"id": "1", "text": None}, "field 'text': expected a string, got null"),
        ({"id": "1", "title": ["S", "o"], "text": "a"}, "field 'title': expected a string, got"),
        ({"id": True, "text": "a"}, "field 'id': expected an id, got True"),
        ({"id": 7.0, "text": "a"}, "field 'id': expected an id, got 7.0"),
        ({"id": " ", "text": "a"}, "field 'id': expected an id, got ' '"),
    ],
)
def test_malformed_row_names_path_and_line(tmp_path, row, message):
    path = write_jsonl(tmp_path / "a.jsonl", [{"id": "0", "text": "a"}, row])
    with pytest.raises(DataError, match=rf"a\.jsonl:2: {message}"):
        list(JsonLines(path=path).documents())
