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
    with pytest.raises(DataError, match=r"p\.tsv:3: expected 3 fields .* got 2"):
        list(PsgsW100(path=path).documents())
    path.write_text("id\ttext\ttitle\r1\ta\tT\r")
    with pytest.raises(DataError, match=r"the header lacks title.* end with a newline"):
        list(PsgsW100(path=path).documents())
    path.write_text("id\ttext\ttitle\n \ta\tT\n")
    with pytest.raises(DataError, match=r"p\.tsv:2: blank id"):
        list(PsgsW100(path=path).documents())


def test_marks_of_a_file_without_quoting_merge_no_rows(tmp_path):
    path = tmp_path / "p.tsv"
    texts = ["Rivers.", '"Silt is gold, they say.', "The dam.", 'No flood" wrote he.', "Ice."]
    rows = [f"{n}\t{text}\tT{n}\n" for n, text in enumerate(texts)]
    path.write_text("id\ttext\ttitle\n" + "".join(rows))
    assert [document.text for document in PsgsW100(path=path).documents()] == texts
    assert [document.text for document in PsgsW100(path=path, quoted=False).documents()] == texts
    with pytest.raises(DataError, match=r"p\.tsv:3: a field opens"):
        list(PsgsW100(path=path, quoted=True).documents())


def test_a_lone_carriage_return_is_text(tmp_path):
    path = tmp_path / "p.tsv"
    path.write_bytes(b"id\ttext\ttitle\n1\tRivers carry\rsilt\tRivers\n2\tdam\tAsru\n")
    assert [d.text for d in PsgsW100(path=path).documents()] == ["Rivers carry\rsilt", "dam"]


def test_places_of_a_passage(tmp_path):
    path = tmp_path / "p.tsv"
    path.write_text("id\ttext\ttitle\n1\ta\tT\n2\tb\tT\n1\tc\tU\n")
    assert PsgsW100(path=path).places_of("1") == [f"{path}:2", f"{path}:4"]
