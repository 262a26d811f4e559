"""The text of a PDF file, by pypdf."""

import io

from spider.sources.extraction.extracted import Extracted, NotExtractedError, damaged
from spider.sources.optional_package import OptionalPackage

SUFFIXES = (".pdf",)
PACKAGE = OptionalPackage("pypdf", extra="documents")

ENCRYPTED = "it needs a password; qpdf --decrypt --password=PASSWORD IN OUT removes it"
UNREADABLE_CIPHER = "qpdf --decrypt IN OUT removes the encryption, or pip install cryptography"


def extract(data: bytes) -> Extracted:
    """Return the document information's title, and the text of the pages.

    Raises:
        NotExtractedError: ``pdf`` (pypdf is not installed), ``encrypted_pdf``, ``damaged_pdf``, or
            ``pdf_without_text`` (scanned pages).
    """
    try:
        import pypdf
        import pypdf.errors
    except ImportError as error:
        raise NotExtractedError("pdf", hint=f"{PACKAGE.fix} reads PDF files") from error
    try:
        document = pypdf.PdfReader(io.BytesIO(data))
        text = "\n\n".join(page.extract_text() for page in document.pages)
        title = str((document.metadata or {}).get("/Title") or "")
    except (pypdf.errors.FileNotDecryptedError, pypdf.errors.WrongPasswordError) as error:
        raise NotExtractedError("encrypted_pdf", hint=ENCRYPTED) from error
    except pypdf.errors.DependencyError as error:
        raise NotExtractedError("encrypted_pdf", hint=UNREADABLE_CIPHER) from error
    except Exception as error:  # a malformed file raises errors of many types in pypdf
        raise damaged("pdf", error) from error
    if not text.strip():
        raise NotExtractedError("pdf_without_text", hint="scanned pages need OCR first")
    return Extracted(title.strip(), text)
