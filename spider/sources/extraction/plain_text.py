"""Plain text, Markdown and reStructuredText: kept as they stand, with the title they state."""

import codecs
import re

from spider.sources.extraction.extracted import Extracted, NotExtractedError

SNIFFED = 8192
FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
FRONT_TITLE = re.compile(r"^title:[ \t]*(.+?)[ \t]*$", re.MULTILINE | re.IGNORECASE)
FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
MARKDOWN_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
SETEXT_HEADING = re.compile(r"^(?=\S)(.+?)[ \t]*\n(?:=+|-{3,})[ \t]*$", re.MULTILINE)
RST_HEADING = re.compile(
    r"^(?:([=\-~^\"'#*+`:.])\1{2,}[ \t]*\n)?[ \t]*(\S.*?)[ \t]*\n([=\-~^\"'#*+`:.])\3{2,}[ \t]*$",
    re.MULTILINE,
)


def decode(data: bytes) -> str:
    """Decode UTF-8 (with or without a byte order mark) or UTF-16 with one; breaks become newlines.

    Raises:
        NotExtractedError: ``binary`` or ``not_utf8``.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"\0" in data[:SNIFFED]:
        raise NotExtractedError("binary")
    else:
        encoding = "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise NotExtractedError("not_utf8", hint="convert the file to UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def extract_text(data: bytes) -> Extracted:
    """Take a .txt file as it is; it states no title."""
    return Extracted("", decode(data))


def extract_markdown(data: bytes) -> Extracted:
    """Take Markdown as it is, less its front matter; that states the title, else a heading."""
    text = decode(data)
    title = ""
    front = FRONT_MATTER.match(text)
    if front:
        text = text[front.end() :]
        stated = FRONT_TITLE.search(front[1])
        title = stated[1].strip("\"'") if stated else ""
    if not title:
        # a "# comment" inside a code block is no heading
        prose = FENCE.sub("", text)
        headings = [m for m in (MARKDOWN_HEADING.search(prose), SETEXT_HEADING.search(prose)) if m]
        title = min(headings, key=lambda m: m.start())[1] if headings else ""
    return Extracted(title.strip(), text)


def extract_rst(data: bytes) -> Extracted:
    """Take reStructuredText as it is, with its first section title."""
    text = decode(data)
    heading = RST_HEADING.search(text)
    return Extracted(heading[2] if heading else "", text)
