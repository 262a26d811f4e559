import bz2
import os

import pytest

from spider.corpus.document import Document
from spider.errors import DataError
from spider.sources.wikiextractor import WikiExtractor

MARKUP = (
    '<doc id="12" url="http://x?curid=12" title="The "A" &amp; B">\n'
    'The "A" &amp; B\n\nFirst line.\n\nif a &lt; b\n</doc>\n\n'
    '<doc id="13" revid="4" url="u" title="Redirect">\nRedirect\n\n</doc>\n'
)


@pytest.mark.parametrize("suffix", ["", ".bz2"])
def test_both_formats_in_folders(tmp_path, suffix):
    for name, text in (
        ("AA/wiki_00", MARKUP),
        ("AB/wiki_00", '{"id": "14", "url": "u", "title": "C", "text": "c"}\n'),
    ):
        path = tmp_path / f"{name}{suffix}"
        path.parent.mkdir()
        path.write_bytes(bz2.compress(text.encode()) if suffix else text.encode())
    source = WikiExtractor(path=tmp_path)
    assert list(source.documents()) == [
        Document(id="12", title='The "A" & B', text="First line.\n\nif a < b"),
        Document(id="14", title="C", text="c"),
    ]
    assert source.counts == {"articles_read": 2, "skipped_empty": 1}


def test_malformed_files_name_the_line(tmp_path):
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


def test_places_of_an_id(tmp_path):
    article = '<doc id="{}" url="u" title="T">\nT\n\n{{{{words\n</doc>\n'
    (tmp_path / "wiki_00").write_text("".join(map(article.format, (1, 2, 1))))
    (tmp_path / "wiki_01").write_text('{"id": "1", "title": "T", "text": "t"}\n')
    places = WikiExtractor(path=tmp_path).places_of("1")
    assert [place.removeprefix(f"{tmp_path}/") for place in places] == [
        *("wiki_00:1", "wiki_00:11", "wiki_01:1")
    ]


ONE, TWO = (f'<doc id="{n}" url="u?curid={n}" title="T{n}">' for n in (1, 2))


@pytest.mark.parametrize(
    ("text", "open_articles"),
    [
        (f"{ONE}\nT1\n\nOne.\n\n</doc>\n{TWO}\nT2\n\nTwo.\n\n</doc>\n", 0),
        (f"{ONE}\nT1\n\nOne.\n\n{TWO}\nT2\n\nTwo.\n\n</doc>\n", 1),
        (f"{ONE}\nT1\n\nOne.</doc>\n{TWO}\nT2\n\nTwo.</doc>\n", 0),
        (f"{ONE}\nT1\nOne.</doc>{TWO}\nT2\nTwo.\n</doc>  \n", 0),
        (f"{ONE}\nT1\nOne.\n</doc> {TWO}\nT2\nTwo.\n</doc>\n</doc>\n", 0),
        (f"{ONE}One.</doc>{TWO}Two.</doc>", 0),
        (f"{ONE}\nT1\nOne.{TWO}\nT2\nTwo.\n</doc>\n", 1),
        (f"  {ONE}  \nT1\nOne.\n  </doc>\n\n\n  {TWO}\nTwo.</doc></doc>\n", 0),
        (f'{ONE}\nOne.\n</doc>\n{{"id": "2", "title": "T2", "text": "Two."}}\n', 0),
    ],
)
def test_markup_that_is_missing_or_in_a_line_swallows_no_article(text, open_articles, tmp_path):
    (tmp_path / "wiki_00").write_text(text)
    source = WikiExtractor(path=tmp_path)
    found = [(d.id, d.title, d.text) for d in source.documents()]
    assert found == [("1", "T1", "One."), ("2", "T2", "Two.")]
    assert source.counts.get("articles_not_closed", 0) == open_articles


def test_text_about_markup_is_text(tmp_path):
    body = 'the tag </doc> ends, <doc> begins, <doc id="x begins; </doc>?'
    (tmp_path / "wiki_00").write_text(f"{ONE}\n{body}\n</doc>\n")
    (document,) = WikiExtractor(path=tmp_path).documents()
    assert document.text == body


def test_one_warning_names_the_article_that_is_not_closed(tmp_path, caplog):
    (tmp_path / "wiki_00").write_text(f"{ONE}\nOne.\n{TWO}\nTwo.\n{ONE}\nx\n</doc>\n")
    list(WikiExtractor(path=tmp_path).documents())
    assert len(caplog.messages) == 1
    assert "wiki_00:1: this article has no </doc>" in caplog.messages[0]


def test_a_folder_that_cannot_be_read_is_not_left_out(tmp_path, monkeypatch):
    (tmp_path / "AA").mkdir()
    (tmp_path / "wiki_00").write_text('<doc id="1" title="A">\ntext\n</doc>\n')
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("AA"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(DataError, match="AA: cannot be read: Permission denied"):
        list(WikiExtractor(path=tmp_path).documents())
