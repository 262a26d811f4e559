import io
from collections.abc import Callable

import pypdf
import pypdf.errors
import pytest

from spider.sources.extraction.extracted import NotExtractedError
from spider.sources.extraction.pdf_text import extract


def test_title_and_lines(pdf: Callable[..., bytes]) -> None:
    found = extract(pdf("one line", "another", title=" Title "))
    assert found.title == "Title"
    assert found.text.splitlines() == ["one line", "another"]


def test_a_page_without_text_is_told_apart_from_damage(pdf: Callable[..., bytes]) -> None:
    with pytest.raises(NotExtractedError, match="pdf_without_text") as caught:
        extract(pdf())
    assert "OCR" in caught.value.hint
    with pytest.raises(NotExtractedError, match="damaged_pdf"):
        extract(b"%PDF-1.4 and no more")


def encrypted(data: bytes, *, owner: str, user: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    writer.encrypt(user_password=user, owner_password=owner, algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    return stream.getvalue()


def test_a_password_is_told_apart_from_damage(pdf: Callable[..., bytes]) -> None:
    with pytest.raises(NotExtractedError, match="encrypted_pdf") as caught:
        extract(encrypted(pdf("secret"), owner="o", user="u"))
    assert "password" in caught.value.hint
    # many files only forbid printing: everybody may read them
    assert "open" in extract(encrypted(pdf("open"), owner="o", user="")).text


def test_a_cipher_that_cannot_be_read_is_told_apart_from_damage(
    pdf: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def needs_a_package(*_: object) -> None:
        raise pypdf.errors.DependencyError("cryptography>=3.1 is required for AES algorithm")

    monkeypatch.setattr(pypdf.PageObject, "extract_text", needs_a_package)
    with pytest.raises(NotExtractedError, match="encrypted_pdf") as caught:
        extract(pdf("secret"))
    assert "cryptography" in caught.value.hint
