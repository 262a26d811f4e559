"""The text of a PDF file, where pypdf is installed."""

import io

from spider.sources.extraction.extracted import Extracted, NotExtractedError

HINT = "pip install 'spider-odqa[documents]' reads PDF files"


def extract_pdf(data: bytes) -> Extracted:
    """Return the document information's title and the pages' text.

    Raises:
        NotExtractedError: ``pdf`` (pypdf is not installed), ``damaged_pdf``, or
            ``pdf_without_text`` (scanned pages).
    """
    try:
        import pypdf
    except ImportError as error:
        raise NotExtractedError("pdf", hint=HINT) from error
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        text = "\n\n".join(page.extract_text() for page in reader.pages)
        title = str((reader.metadata or {}).get("/Title") or "")
    except Exception as error:  # pypdf raises whatever a malformed file provokes
        raise NotExtractedError("damaged_pdf", hint=f"{type(error).__name__}: {error}") from error
    if not text.strip():
        raise NotExtractedError("pdf_without_text", hint="scanned pages need OCR first")
    return Extracted(title.strip(), text)
