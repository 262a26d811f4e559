"""The text of a Word document, where python-docx is installed."""

import io

from spider.sources.extraction.extracted import Extracted, NotExtractedError

HINT = "pip install 'spider-odqa[documents]' reads Word files"


def extract_docx(data: bytes) -> Extracted:
    """Return the core properties' title and the paragraphs' and tables' text.

    Raises:
        NotExtractedError: ``docx`` (python-docx is not installed) or ``damaged_docx``.
    """
    try:
        import docx
    except ImportError as error:
        raise NotExtractedError("docx", hint=HINT) from error
    try:
        document = docx.Document(io.BytesIO(data))
        paragraphs = [paragraph.text for paragraph in document.paragraphs]
        rows = [
            " ".join(cell.text for cell in row.cells)
            for table in document.tables
            for row in table.rows
        ]
        title = str(document.core_properties.title or "")
    except Exception as error:  # a damaged zip, XML or relation raises what it likes
        raise NotExtractedError("damaged_docx", hint=f"{type(error).__name__}: {error}") from error
    return Extracted(title.strip(), "\n".join([*paragraphs, *rows]))
