import io
import zipfile
from collections.abc import Callable

import pytest

from spider.sources.extraction.docx_text import extract
from spider.sources.extraction.extracted import NotExtractedError


def test_paragraphs_then_tables(word: Callable[..., bytes]) -> None:
    data = word("one", "two", rows=[["a", "b"], ["c", "d"]])
    assert extract(data) == ("", "one\ntwo\na b\nc d", "")
    assert extract(word("x", title=" T ")).title == "T"


def test_a_merged_cell_counts_once_however_many_columns_it_states(
    word: Callable[..., bytes],
) -> None:
    data = word("one", rows=[["a", "b"]])
    wide = rewritten(data, b"<w:tcPr>", b'<w:tcPr><w:gridSpan w:val="99999999"/>')
    assert extract(wide).text == "one\na b"


def test_a_document_without_properties_has_no_title(word: Callable[..., bytes]) -> None:
    data = word("words")
    without = rewritten(data, b"metadata/core-properties", b"other", part="_rels/.rels")
    assert extract(without) == ("", "words", "")


def test_what_word_wraps_otherwise_is_named() -> None:
    begin = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(500)
    with pytest.raises(NotExtractedError, match="old_format"):
        extract(begin)
    with pytest.raises(NotExtractedError, match="encrypted_docx") as caught:
        extract(begin + "EncryptedPackage".encode("utf-16-le"))
    assert "password" in caught.value.hint


def rewritten(data: bytes, old: bytes, new: bytes, part: str = "word/document.xml") -> bytes:
    """Replace bytes of the document, or of another part, inside a Word file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(stream, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            if name == part:
                assert old in content
                content = content.replace(old, new)
            after.writestr(name, content, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def test_entities_are_not_expanded(word: Callable[..., bytes]) -> None:
    data = word("BOMB", title="t")
    inner = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    declared = f'<!DOCTYPE x [<!ENTITY e0 "lol">{inner}]>'.encode()
    bomb = rewritten(rewritten(data, b"BOMB", b"&e11;"), b"<w:document", declared + b"<w:document")
    try:
        assert len(extract(bomb).text) < 1000
    except NotExtractedError as error:
        assert error.reason == "damaged_docx"  # noqa: PT017


def test_damage_names_the_error() -> None:
    with pytest.raises(NotExtractedError, match="damaged_docx") as caught:
        extract(b"PK\3\4 no zip")
    assert "BadZipFile" in caught.value.hint
