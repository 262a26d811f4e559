"""The text of a Word document, by python-docx."""

import io
from collections.abc import Iterator
from typing import Any

from spider.sources.extraction.extracted import Extracted, NotExtractedError, damaged
from spider.sources.optional_package import OptionalPackage

SUFFIXES = (".docx",)
PACKAGE = OptionalPackage("docx", extra="documents")

CORE_PROPERTIES = (
    "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
)
"""The relation in which ``docx`` looks for the title."""
COMPOUND_FILE = bytes.fromhex("d0cf11e0a1b11ae1")
"""Begins the file format of Word before 2007, which also wraps an encrypted .docx."""
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def extract(data: bytes) -> Extracted:
    """Return the core properties' title, and the text of the paragraphs and of the tables.

    Raises:
        NotExtractedError: ``docx`` (python-docx is not installed), ``encrypted_docx``,
            ``old_format`` or ``damaged_docx``.
    """
    try:
        import docx
    except ImportError as error:
        raise NotExtractedError("docx", hint=f"{PACKAGE.fix} reads Word files") from error
    if data.startswith(COMPOUND_FILE):
        encrypted = ENCRYPTED in data
        raise NotExtractedError(
            "encrypted_docx" if encrypted else "old_format",
            hint="remove the password" if encrypted else "save it as .docx in a word processor",
        )
    try:
        document = docx.Document(io.BytesIO(data))
        paragraphs = [paragraph.text for paragraph in document.paragraphs]
        rows = [text for table in document.tables for text in _row_texts(table)]
        title = _title(document)
    except Exception as error:  # a damaged zip, XML or relation raises errors of many types
        raise damaged("docx", error) from error
    return Extracted(title.strip(), "\n".join([*paragraphs, *rows]))


def _title(document: Any) -> str:
    """Return the title of the core properties; empty without them, where docx invents one."""
    relations = document.part.package.rels.values()
    if not any(relation.reltype == CORE_PROPERTIES for relation in relations):
        return ""
    return str(document.core_properties.title or "")


def _row_texts(table: Any) -> Iterator[str]:
    """Yield the text of each row; a merged cell counts once.

    ``row.cells`` repeats a cell for each column that it spans, and the file states any number.
    """
    from docx.table import _Cell

    for row in table._tbl.tr_lst:
        yield " ".join(_Cell(cell, table).text for cell in row.tc_lst)
