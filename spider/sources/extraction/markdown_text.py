"""Markdown, unchanged except for its front matter."""

from collections.abc import Iterator

from spider.sources.extraction.decoding import decode
from spider.sources.extraction.extracted import Extracted

SUFFIXES = (".md", ".markdown")
IN_PROCESS = True

FENCES = ("```", "~~~")


def extract(data: bytes) -> Extracted:
    """Return the text without front matter; the title is that of the front matter, else a heading.

    Raises:
        NotExtractedError: ``binary`` or ``not_utf8``.
    """
    text, encoding = decode(data)
    front, text = _split_front_matter(text)
    title = _stated_title(front) or next(_headings(text.split("\n")), "")
    return Extracted(title.strip(), text, encoding)


def _split_front_matter(text: str) -> tuple[list[str], str]:
    """Return the lines between ``---`` at the beginning and ``---`` or ``...``, and the rest."""
    lines = text.split("\n")
    if lines[0].rstrip(" \t") != "---":
        return [], text
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip(" \t") in ("---", "..."):
            return lines[1:number], "\n".join(lines[number + 1 :])
    return [], text


def _stated_title(front: list[str]) -> str:
    for line in front:
        if line[:6].lower() == "title:" and line[6:].strip(" \t"):
            return line[6:].strip(" \t").strip("\"'")
    return ""


def _headings(lines: list[str]) -> Iterator[str]:
    """Yield the headings, ``# so`` or underlined, outside of blocks of code."""
    fence = ""
    for number, line in enumerate(lines):
        if fence:
            # a fence that is not closed ends with the text
            fence = "" if line.startswith(fence) else fence
            continue
        if line.startswith(FENCES):
            fence = line[:3] if _closes(lines, number, line[:3]) else ""
            continue
        below = lines[number + 1].rstrip(" \t") if number + 1 < len(lines) else ""
        yield from _hash_heading(line)
        if _underlines(below) and line[:1].strip():
            yield line.rstrip(" \t")


def _closes(lines: list[str], number: int, fence: str) -> bool:
    return any(line.startswith(fence) for line in lines[number + 1 :])


def _hash_heading(line: str) -> Iterator[str]:
    marked = line.strip(" \t")
    level = len(marked) - len(marked.lstrip("#"))
    indent = len(line) - len(line.lstrip(" "))
    if 1 <= level <= 6 and indent <= 3 and marked[level : level + 1] in (" ", "\t"):
        title = marked[level:].strip(" \t")
        # "## so ##" is closed, "# C#" is not
        if title.rstrip("#").endswith((" ", "\t")):
            title = title.rstrip("#").rstrip(" \t")
        if title.strip("#"):
            yield title


def _underlines(line: str) -> bool:
    return line != "" and (not line.strip("=") or (len(line) >= 3 and not line.strip("-")))
