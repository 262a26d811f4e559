"""A sample file of each file type."""

import io
from collections.abc import Callable

import docx
import pytest


def make_pdf(*lines: str, title: str = "") -> bytes:
    """Write a PDF of one page by hand: one text operator for each line."""
    shown = " ".join(f"({line}) Tj 0 -20 Td" for line in lines)
    content = f"BT /F1 12 Tf 72 720 Td {shown} ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        f"<< /Title ({title}) >>",
    ]
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    count = len(objects) + 1
    trailer = f"trailer\n<< /Size {count} /Root 1 0 R /Info 6 0 R >>\nstartxref\n{len(data)}\n%%EOF"
    return data + f"xref\n0 {count}\n0000000000 65535 f \n{table}{trailer}".encode()


def make_docx(*paragraphs: str, title: str = "", rows: list[list[str]] | None = None) -> bytes:
    """Write a Word file."""
    document = docx.Document()
    document.core_properties.title = title
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    if rows:
        table = document.add_table(rows=0, cols=len(rows[0]))
        for row in rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = text
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


@pytest.fixture(scope="session")
def pdf() -> Callable[..., bytes]:
    return make_pdf


@pytest.fixture(scope="session")
def word() -> Callable[..., bytes]:
    return make_docx


@pytest.fixture(scope="session")
def samples() -> dict[str, bytes]:
    """A file of each type, titled "Water Engines", with the word "turbine" in its text."""
    return {
        "plain_text": b"the turbine turns",
        "markdown_text": b"# Water Engines\n\nthe turbine turns",
        "rst_text": b"Water Engines\n=============\n\nthe turbine turns",
        "html_text": b"<title>Water Engines</title><p>the turbine turns",
        "pdf_text": make_pdf("the turbine turns", title="Water Engines"),
        "docx_text": make_docx("the turbine turns", title="Water Engines"),
    }
