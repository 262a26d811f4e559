"""Text that is safe to show: one function makes the characters visible that control a terminal.

A document, a file name or a question may hold characters that a terminal obeys: ESC and its C1
forms move the cursor, change the title or write the clipboard (OSC 52), a carriage return hides
what stands before it, a newline forges a second line, and a bidirectional override shows the text
in another order. Everything that people read goes through :func:`printable` on its way out: the
console, the log, error lines and reports. Files and ``--json`` keep the text as it is.

Only what is shown changes, so no character is lost silently: each becomes its Python escape.
Joiners and the marks U+200E, U+200F and U+061C stay: scripts and emoji need them, and they neither
move the cursor nor reverse other text.

:func:`counted` says a number with its noun, so that no line says "1 documents".

Sources: ECMA-48 (C0, C1), UAX #9 (explicit bidirectional formatting), CVE-2021-42574.
"""

import re

TAB = "\t"
LINE_FEED = "\n"

_CONTROLS = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0, DEL and C1
    "\u2028\u2029"  # line and paragraph separator
    "\u202a-\u202e\u2066-\u2069"  # bidirectional embeddings, overrides and isolates
    "\u206a-\u206f"  # deprecated formatting: changes digits and mirroring
    "\ud800-\udfff"  # halves of a character, and the bytes of a name that is not UTF-8
    "]"
)
# a bracket, an ampersand and a tilde are marked only where they would make a link, an entity or a
# stroke: "62.9 [61.2, 64.5]" stays as it is
_MARKDOWN = re.compile(r"[\\`*_|<>$]|\](?=[(\[:])|&(?=#?\w+;)|~(?=~)")
_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def printable(text: str, *, keep: str = TAB) -> str:
    """Return text in which no character controls a terminal.

    Args:
        text: any text.
        keep: control characters that stay: a tab moves to the right only, and text of several
            lines also needs ``LINE_FEED``.
    """
    return _CONTROLS.sub(lambda found: found[0] if found[0] in keep else _escaped(found[0]), text)


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: ``1 document``, ``2,000 documents``.

    Args:
        number: how many.
        noun: the word for one.
        plural: the word for several; None adds an "s" to the last word of the noun.
    """
    several = f"{noun}s" if plural is None else plural
    return f"{number:,} {noun if number == 1 else several}"


def spreadsheet_cell(text: str) -> str:
    """Return text that a spreadsheet shows and does not run: a leading apostrophe marks text.

    Source: OWASP, CSV injection: cells that begin with ``=``, ``+``, ``-``, ``@``, tab, carriage
    return or line feed; also the full-width forms of the four signs.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def markdown_text(text: str) -> str:
    """Return text on one line that Markdown shows as it is, also inside a cell of a table."""
    return _MARKDOWN.sub(r"\\\g<0>", printable(" ".join(text.split())))


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        # Python reads the byte 0xNN of a name that is not UTF-8 as U+DCNN
        return f"\\x{code - 0xDC00:02x}"
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return named.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
