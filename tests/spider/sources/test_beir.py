import json
import zipfile

import pytest

from spider.corpus.document import PassageBounds
from spider.errors import DataError
from spider.sources.beir import Beir


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


ROWS = (
    {"_id": "MED-1", "title": "T", "text": "some text"},
    {"_id": "MED-2", "title": "Only a title", "text": ""},
    {"_id": "MED-3", "title": "", "text": " "},
)


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_row_is_a_passage_with_its_id(tmp_path, kind):
    folder = tmp_path / "set"
    folder.mkdir()
    corpus = write_jsonl(folder / "corpus.jsonl", ROWS)
    path = folder
    if kind == "zip":
        path = tmp_path / "set.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(corpus, "set/corpus.jsonl")
    source = Beir(path=path)
    first, second = source.documents()
    assert first.passages == (PassageBounds("MED-1", 0, 9),)
    # the words of a title that is the text too would count twice in an index
    assert (second.title, second.text) == ("", "Only a title")
    assert source.counts == {"rows_read": 2, "title_alone": 1, "skipped_empty": 1}
    assert source.fingerprint()
    assert next(Beir(path=path, split=True).documents()).passages is None


def test_rows_are_checked(tmp_path):
    write_jsonl(tmp_path / "corpus.jsonl", [{"_id": "a", "title": None, "text": None}, ROWS[0]])
    assert [d.id for d in Beir(path=tmp_path).documents()] == ["MED-1"]
    for row in (
        {"_id": None, "text": "t"},
        {"_id": "a"},
        {"_id": "a", "title": ["t"], "text": "t"},
    ):
        write_jsonl(tmp_path / "corpus.jsonl", [ROWS[0], row])
        with pytest.raises(DataError, match=r"corpus\.jsonl:2: (no )?field"):
            list(Beir(path=tmp_path).documents())
    write_jsonl(tmp_path / "corpus.jsonl", [ROWS[0], ROWS[1], ROWS[0]])
    places = Beir(path=tmp_path).places_of("MED-1")
    assert [place.rpartition(":")[2] for place in places] == ["1", "3"]


def test_what_is_no_data_set(tmp_path):
    with pytest.raises(DataError, match=r"no corpus\.jsonl in this folder"):
        list(Beir(path=tmp_path).documents())
    (tmp_path / "x.zip").write_text("no zip")
    with pytest.raises(DataError, match="a folder or a zip"):
        list(Beir(path=tmp_path / "x.zip").documents())
