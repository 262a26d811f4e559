"""Markdown, unchanged except for its front matter."""

import re

from spider.sources.extraction.decoding import decode
from spider.sources.extraction.extracted import Extracted

SUFFIXES = (".md", ".markdown")

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
FRONT_TITLE = re.compile(r"^title:[ \t]*(.+?)[ \t]*$", re.MULTILINE | re.IGNORECASE)
FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.MULTILINE | re.DOTALL)
HASH_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)
UNDERLINED_HEADING = re.compile(r"^(?=\S)(.+?)[ \t]*\n(?:=+|-{3,})[ \t]*$", re.MULTILINE)


def extract(data: bytes) -> Extracted:
    """Return the text without front matter; the title is that of the front matter, else a heading.

    Raises:
        NotExtractedError: ``binary`` or ``not_utf8``.
    """
    text = decode(data)
    title = ""
    front = FRONT_MATTER.match(text)
    if front:
        text = text[front.end() :]
        stated = FRONT_TITLE.search(front[1])
        title = stated[1].strip("\"'") if stated else ""
    if not title:
        # a "# comment" inside a code block is not a heading
        prose = FENCE.sub("", text)
        headings = [m for m in (HASH_HEADING.search(prose), UNDERLINED_HEADING.search(prose)) if m]
        title = min(headings, key=lambda m: m.start())[1] if headings else ""
    return Extracted(title.strip(), text)
