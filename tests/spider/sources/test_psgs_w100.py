import gzip
from itertools import pairwise

import pytest

from spider.corpus.document import PassageBounds
from spider.errors import DataError
from spider.sources.psgs_w100 import PsgsW100


def test_adjacent_titles_are_one_document(tmp_path):
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
    source = PsgsW100(path=path)
    documents = list(source.documents())
    assert [(d.id, d.title) for d in documents] == [
        ("1", "A"),
        ("3", "B"),
        ("wiki:4", "A"),
        ("6", ""),
        ("7", ""),
    ]
    assert documents[0].text == 'said "hé" 🦎 more'
    assert documents[0].passages == (PassageBounds("1", 0, 11), PassageBounds("2", 12, 16))
    assert source.counts == {"rows_read": 6, "skipped_empty": 1}
    assert source.last_passage_padded


def test_a_collection_cut_into_files_is_read_as_one(tmp_path):
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


def test_columns_in_any_order(tmp_path):
    path = tmp_path / "p.tsv.gz"
    path.write_bytes(gzip.compress(b"title\tid\ttext\nT\t9\twords\n"))
    (document,) = PsgsW100(path=path).documents()
    assert (document.id, document.title, document.text) == ("9", "T", "words")


def test_bad_header_and_bad_row(tmp_path):
    path = tmp_path / "p.tsv"
    path.write_text("1\twords\tT\n")
    with pytest.raises(DataError, match=r"p\.tsv:1: the header lacks id, text, title"):
        list(PsgsW100(path=path).documents())
    path.write_text("id\ttext\ttitle\n1\ta\tT\n2\tb\n")
    with pytest.raises(DataError, match=r"p\.tsv:3: expected 3 columns .* got 2"):
        list(PsgsW100(path=path).documents())
