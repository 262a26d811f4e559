"""JSON lines, psgs_w100, BEIR, wikiextractor and Hugging Face rows."""

import bz2
import gzip
import json
import sys
import zipfile
from itertools import pairwise

import pyarrow as pa
import pytest
from pyarrow import parquet

from spider.corpus.document import Document, PassageBounds
from spider.errors import DataError, MissingDependencyError
from spider.sources.beir import Beir
from spider.sources.document_source import DocumentSource
from spider.sources.hugging_face import HuggingFace
from spider.sources.jsonl import JsonLines
from spider.sources.psgs_w100 import PsgsW100
from spider.sources.wikiextractor import WikiExtractor


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


class TestJsonLines:
    def test_rows_of_several_files(self, tmp_path):
        write_jsonl(tmp_path / "a.jsonl", [{"id": 7, "title": "T", "text": "é🦎"}])
        (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b'{"id": "x/y", "text": "t"}\n'))
        reader = JsonLines(path=str(tmp_path / "*.jsonl*"))
        assert list(reader.documents()) == [
            Document(id="7", title="T", text="é🦎"),
            Document(id="x/y", title="", text="t"),
        ]
        assert reader.counts == {"rows_read": 2}
        assert isinstance(reader, DocumentSource)
        assert len(reader.fingerprint()) == 2

    def test_other_fields_and_numbered_rows(self, tmp_path):
        path = write_jsonl(tmp_path / "a.jsonl", [{"body": " "}, {"body": "b"}])
        reader = JsonLines(path=path, id_field=None, title_field=None, text_field="body")
        assert [d.id for d in reader.documents()] == ["1"]
        assert reader.counts == {"rows_read": 1, "skipped_empty": 1}

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ({"id": "1"}, "no field 'text'; the fields are: id"),
            ({"id": "1", "text": ["a"]}, "field 'text': expected a string, got list"),
            ({"id": True, "text": "a"}, "field 'id': expected a string, got bool"),
        ],
    )
    def test_malformed_row_names_path_and_line(self, tmp_path, row, message):
        path = write_jsonl(tmp_path / "a.jsonl", [{"id": "0", "text": "a"}, row])
        with pytest.raises(DataError, match=rf"a\.jsonl:2: {message}"):
            list(JsonLines(path=path).documents())


class TestPsgsW100:
    def test_adjacent_titles_are_one_document(self, tmp_path):
        path = tmp_path / "p.tsv"
        path.write_text(
            "id\ttext\ttitle\n"
            '1\t"said ""hé"" 🦎"\tA\n'
            "2\tmore\tA\n"
            "3\tother\tB\n"
            "wiki:4\tagain\tA\n"
            "5\t \tC\n"
            "6\tx\t\n"
            "7\ty\t\n"
        )
        reader = PsgsW100(path=path)
        documents = list(reader.documents())
        assert [(d.id, d.title) for d in documents] == [
            ("1", "A"),
            ("3", "B"),
            ("wiki:4", "A"),
            ("6", ""),
            ("7", ""),
        ]
        assert documents[0].text == 'said "hé" 🦎 more'
        assert documents[0].passages == (PassageBounds("1", 0, 11), PassageBounds("2", 12, 16))
        assert reader.counts == {"rows_read": 6, "skipped_empty": 1}
        assert reader.last_passage_padded

    def test_a_collection_cut_into_files_is_read_as_one(self, tmp_path):
        rows = ["1\ta b\tA", "2\tc d\tA", "3\te f\tA", "4\tg h\tB", "5\ti\t", "6\tj\t"]
        header = "id\ttext\ttitle"
        (tmp_path / "whole.tsv").write_text("\n".join([header, *rows]))
        expected = list(PsgsW100(path=tmp_path / "whole.tsv").documents())
        assert [document.id for document in expected] == ["1", "4", "5", "6"]
        for cuts in ((2,), (1, 2), (3, 5)):
            folder = tmp_path / "-".join(map(str, cuts))
            folder.mkdir()
            borders = [0, *cuts, len(rows)]
            for number, (start, end) in enumerate(pairwise(borders)):
                (folder / f"p-{number}.tsv").write_text("\n".join([header, *rows[start:end]]))
            assert list(PsgsW100(path=folder / "*.tsv").documents()) == expected

    def test_columns_in_any_order(self, tmp_path):
        path = tmp_path / "p.tsv.gz"
        path.write_bytes(gzip.compress(b"title\tid\ttext\nT\t9\twords\n"))
        (document,) = PsgsW100(path=path).documents()
        assert (document.id, document.title, document.text) == ("9", "T", "words")

    def test_bad_header_and_bad_row(self, tmp_path):
        path = tmp_path / "p.tsv"
        path.write_text("1\twords\tT\n")
        with pytest.raises(DataError, match=r"p\.tsv:1: the header lacks id, text, title"):
            list(PsgsW100(path=path).documents())
        path.write_text("id\ttext\ttitle\n1\ta\tT\n2\tb\n")
        with pytest.raises(DataError, match=r"p\.tsv:3: expected 3 columns .* got 2"):
            list(PsgsW100(path=path).documents())


class TestBeir:
    ROWS = (
        {"_id": "MED-1", "title": "T", "text": "some text"},
        {"_id": "MED-2", "title": "Only a title", "text": ""},
        {"_id": "MED-3", "title": "", "text": " "},
    )

    @pytest.mark.parametrize("kind", ["folder", "zip"])
    def test_a_row_is_a_passage_with_its_id(self, tmp_path, kind):
        folder = tmp_path / "set"
        folder.mkdir()
        corpus = write_jsonl(folder / "corpus.jsonl", self.ROWS)
        path = folder
        if kind == "zip":
            path = tmp_path / "set.zip"
            with zipfile.ZipFile(path, "w") as archive:
                archive.write(corpus, "set/corpus.jsonl")
        reader = Beir(path=path)
        first, second = reader.documents()
        assert first.passages == (PassageBounds("MED-1", 0, 9),)
        assert second.text == "Only a title"
        assert reader.counts == {"rows_read": 2, "title_alone": 1, "skipped_empty": 1}
        assert reader.fingerprint()
        assert next(Beir(path=path, split=True).documents()).passages is None

    def test_what_is_no_data_set(self, tmp_path):
        with pytest.raises(DataError, match=r"no corpus\.jsonl in this folder"):
            list(Beir(path=tmp_path).documents())
        (tmp_path / "x.zip").write_text("no zip")
        with pytest.raises(DataError, match="a folder or a zip"):
            list(Beir(path=tmp_path / "x.zip").documents())


class TestWikiExtractor:
    MARKUP = (
        '<doc id="12" url="http://x?curid=12" title="The "A" &amp; B">\n'
        'The "A" &amp; B\n\nFirst line.\n\nif a &lt; b\n</doc>\n\n'
        '<doc id="13" revid="4" url="u" title="Redirect">\nRedirect\n\n</doc>\n'
    )

    @pytest.mark.parametrize("suffix", ["", ".bz2"])
    def test_both_formats_in_folders(self, tmp_path, suffix):
        for name, text in (
            ("AA/wiki_00", self.MARKUP),
            ("AB/wiki_00", '{"id": "14", "url": "u", "title": "C", "text": "c"}\n'),
        ):
            path = tmp_path / f"{name}{suffix}"
            path.parent.mkdir()
            path.write_bytes(bz2.compress(text.encode()) if suffix else text.encode())
        reader = WikiExtractor(path=tmp_path)
        assert list(reader.documents()) == [
            Document(id="12", title='The "A" & B', text="First line.\n\nif a < b"),
            Document(id="14", title="C", text="c"),
        ]
        assert reader.counts == {"articles_read": 2, "skipped_empty": 1}

    def test_malformed_files_name_the_line(self, tmp_path):
        path = tmp_path / "wiki_00"
        path.write_text("\nwords\n")
        with pytest.raises(DataError, match=r"wiki_00:2: expected a <doc"):
            list(WikiExtractor(path=path).documents())
        path.write_text('\n<doc id="1" title="T">\nwords\n')
        with pytest.raises(DataError, match=r"wiki_00:2: this article has no </doc>"):
            list(WikiExtractor(path=path).documents())
        path.write_text('{"id": 1}\n')
        with pytest.raises(DataError, match=r"wiki_00:1: not an article: no field 'title'"):
            list(WikiExtractor(path=path).documents())


class TestHuggingFace:
    def test_parquet_and_nested_columns(self, tmp_path):
        pytest.importorskip("datasets")
        table = pa.table(
            {"id": [5, 6], "doc": [{"title": "T", "body": "é"}, {"title": None, "body": " "}]}
        )
        parquet.write_table(table, tmp_path / "rows.parquet")
        reader = HuggingFace(path=str(tmp_path), title_column="doc.title", text_column="doc.body")
        assert list(reader.documents()) == [Document(id="5", title="T", text="é")]
        assert reader.counts == {"rows_read": 1, "skipped_empty": 1}
        assert reader.fingerprint()
        with pytest.raises(DataError, match=r"no column 'text'; the columns are: id, doc"):
            list(HuggingFace(path=str(tmp_path)).documents())

    def test_saved_to_disk_with_splits(self, tmp_path):
        datasets = pytest.importorskip("datasets")
        rows = datasets.Dataset.from_dict({"text": ["a", "b"]})
        datasets.DatasetDict({"train": rows}).save_to_disk(tmp_path / "saved")
        settings = {"path": str(tmp_path / "saved"), "id_column": None, "title_column": None}
        assert [d.id for d in HuggingFace(**settings).documents()] == ["0", "1"]
        with pytest.raises(DataError, match="no split 'dev'; the splits are: train"):
            list(HuggingFace(**settings, split="dev").documents())

    def test_missing_package_and_folder(self, tmp_path, monkeypatch):
        with pytest.raises(DataError, match="neither written by save_to_disk"):
            list(HuggingFace(path=str(tmp_path)).documents())
        monkeypatch.setitem(sys.modules, "datasets", None)
        with pytest.raises(MissingDependencyError, match=r"spider-odqa\[datasets\]"):
            list(HuggingFace(path="any/name").documents())
