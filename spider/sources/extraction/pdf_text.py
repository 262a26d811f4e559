"""The text of a PDF file, by pypdf."""

import io

from spider.sources.extraction.extracted import Extracted, NotExtractedError
from spider.sources.optional_package import OptionalPackage

SUFFIXES = (".pdf",)
PACKAGE = OptionalPackage("pypdf", extra="documents")


def extract(data: bytes) -> Extracted:
    """Return the document information's title, and the text of the pages.

    Raises:
        NotExtractedError: ``pdf`` (pypdf is not installed), ``damaged_pdf``, or
            ``pdf_without_text`` (scanned pages).
    """
    try:
        import pypdf
    except ImportError as error:
        raise NotExtractedError("pdf", hint=f"{PACKAGE.fix} reads PDF files") from error
    try:
        document = pypdf.PdfReader(io.BytesIO(data))
        text = "\n\n".join(page.extract_text() for page in document.pages)
        title = str((document.metadata or {}).get("/Title") or "")
    except Exception as error:  # a malformed file raises errors of many types in pypdf
        raise NotExtractedError("damaged_pdf", hint=f"{type(error).__name__}: {error}") from error
    if not text.strip():
        raise NotExtractedError("pdf_without_text", hint="scanned pages need OCR first")
    return Extracted(title.strip(), text)
