"""The text of a Word document, by python-docx."""

import io

from spider.sources.extraction.extracted import Extracted, NotExtractedError
from spider.sources.optional_package import OptionalPackage

SUFFIXES = (".docx",)
PACKAGE = OptionalPackage("docx", extra="documents")


def extract(data: bytes) -> Extracted:
    """Return the core properties' title, and the text of the paragraphs and of the tables.

    Raises:
        NotExtractedError: ``docx`` (python-docx is not installed) or ``damaged_docx``.
    """
    try:
        import docx
    except ImportError as error:
        raise NotExtractedError("docx", hint=f"{PACKAGE.fix} reads Word files") from error
    try:
        document = docx.Document(io.BytesIO(data))
        paragraphs = [paragraph.text for paragraph in document.paragraphs]
        rows = [
            " ".join(cell.text for cell in row.cells)
            for table in document.tables
            for row in table.rows
        ]
        title = str(document.core_properties.title or "")
    except Exception as error:  # a damaged zip, XML or relation raises errors of many types
        raise NotExtractedError("damaged_docx", hint=f"{type(error).__name__}: {error}") from error
    return Extracted(title.strip(), "\n".join([*paragraphs, *rows]))
