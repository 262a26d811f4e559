"""PDF and Word files: read where the packages are, counted with a hint where they are not."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from spider.sources.extraction.docx_text import extract_docx
from spider.sources.extraction.extracted import NotExtractedError
from spider.sources.extraction.pdf_text import extract_pdf


@pytest.mark.parametrize(
    ("extract", "package", "reason"),
    [(extract_pdf, "pypdf", "pdf"), (extract_docx, "docx", "docx")],
)
def test_missing_package_gives_the_hint(monkeypatch, extract, package, reason):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(NotExtractedError) as caught:
        extract(b"%PDF")
    assert caught.value.reason == reason
    assert "spider-odqa[documents]" in caught.value.hint


def test_pages_and_title_of_a_pdf(monkeypatch):
    pages = [SimpleNamespace(extract_text=lambda: "one"), SimpleNamespace(extract_text=lambda: "")]
    fake = ModuleType("pypdf")
    fake.PdfReader = lambda stream: SimpleNamespace(pages=pages, metadata={"/Title": " T "})
    monkeypatch.setitem(sys.modules, "pypdf", fake)
    assert extract_pdf(b"") == ("T", "one\n\n")
    pages.pop(0)
    with pytest.raises(NotExtractedError, match="pdf_without_text"):
        extract_pdf(b"")


def test_paragraphs_and_tables_of_a_word_file(monkeypatch):
    cells = [SimpleNamespace(text="a"), SimpleNamespace(text="b")]
    document = SimpleNamespace(
        paragraphs=[SimpleNamespace(text="one"), SimpleNamespace(text="two")],
        tables=[SimpleNamespace(rows=[SimpleNamespace(cells=cells)])],
        core_properties=SimpleNamespace(title=None),
    )
    fake = ModuleType("docx")
    fake.Document = lambda stream: document
    monkeypatch.setitem(sys.modules, "docx", fake)
    assert extract_docx(b"") == ("", "one\ntwo\na b")


@pytest.mark.parametrize(("extract", "package"), [(extract_pdf, "pypdf"), (extract_docx, "docx")])
def test_damaged_file(monkeypatch, extract, package):
    def refuse(stream):
        raise KeyError("broken")

    fake = ModuleType(package)
    fake.PdfReader = fake.Document = refuse
    monkeypatch.setitem(sys.modules, package, fake)
    with pytest.raises(NotExtractedError, match="damaged") as caught:
        extract(b"")
    assert "KeyError" in caught.value.hint
