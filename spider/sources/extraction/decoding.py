"""Decoding of text files whose encoding nobody states.

UTF-8 is tried first. UTF-16 without a byte order mark is recognised by its blanks and line breaks,
Windows-1252 by a check that its letters stand where letters stand in the languages of Western
Europe. What fails these checks is skipped: text in the wrong encoding would be found by nobody, and
nobody would know.
"""

import codecs
import re
import unicodedata
from typing import NamedTuple

from spider.sources.extraction.extracted import NotExtractedError

SNIFFED = 8192
"""Bytes at a file's beginning that are searched for a zero byte or a declared encoding."""

MARKS = (
    # UTF-32's mark begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig", ""),
    (codecs.BOM_UTF32_LE, "utf-32", "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16"),
)
#: characters that almost every text has, and that a wrong order of bytes does not give
COMMON = re.compile(r"[ -~\n\r\t、。，：；！？「」（）　]")
#: categories of characters that no text has: control, unassigned, private, surrogate
STRANGE = frozenset(["Cc", "Cn", "Co", "Cs"])
WHITE = frozenset("\t\n\r\f\v")
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
HIGH = re.compile(rb"[\x80-\xff]")
UTF8_CHARACTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
LETTER = re.compile(rb"[A-Za-z]")
#: a sign between two letters: what "ł" of Windows-1250 would become
SIGN_IN_WORD = re.compile(r"(?<=[^\W\d_])[¡-©«-³¶¸¹»-¿×÷](?=[^\W\d_])")
MOST_SIGNS = 0.05


class Decoded(NamedTuple):
    """The text of a file.

    Attributes:
        text: with newlines alone as line breaks.
        encoding: empty for UTF-8.
    """

    text: str
    encoding: str = ""


def decode(data: bytes) -> Decoded:
    """Decode a text; every line break becomes a newline.

    Raises:
        NotExtractedError: ``binary`` or ``not_utf8``.
    """
    for mark, codec, name in MARKS:
        if data.startswith(mark):
            return decode_as(data, codec, name)
    if b"\0" in data[:SNIFFED]:
        order = _utf16_order(data)
        if order is None:
            raise NotExtractedError("binary")
        return decode_as(data, order, "utf-16")
    try:
        return decode_as(data, "utf-8", "")
    except NotExtractedError:
        order = _utf16_order(data)
        if order is not None:
            return decode_as(data, order, "utf-16")
        if _is_western(data):
            return decode_as(data, "cp1252", "cp1252")
        raise


def decode_as(data: bytes, codec: str, name: str) -> Decoded:
    """Decode with a known encoding.

    Args:
        data: the bytes.
        codec: its name for Python.
        name: its name in the counts.

    Raises:
        NotExtractedError: ``not_utf8``.
    """
    try:
        text = data.decode(codec)
    except (UnicodeDecodeError, ValueError) as error:
        place = getattr(error, "start", 0)
        raise NotExtractedError(
            "not_utf8",
            hint=f"byte {place} is not {codec}; iconv -f ENCODING -t UTF-8 converts the file",
        ) from error
    return Decoded(text.replace("\r\n", "\n").replace("\r", "\n"), name)


def _utf16_order(data: bytes) -> str | None:
    """Return the codec of UTF-16 without a mark, or None for other data."""
    if len(data) % 2 or len(data) < 4:
        return None
    found = {codec: _common_share(data[:SNIFFED], codec) for codec in ("utf-16-le", "utf-16-be")}
    worse, best = sorted(found, key=lambda codec: found[codec])
    # a list with zero bytes between its entries looks alike in both orders
    return best if found[best] > 4 * found[worse] else None


def _common_share(data: bytes, codec: str) -> float:
    """Return the share of common characters; 0 if this is no text."""
    # the last character may be cut in two
    text = data.decode(codec, errors="replace").removesuffix("\ufffd")
    strange = sum(c not in WHITE and unicodedata.category(c) in STRANGE for c in text)
    if not text or "\ufffd" in text or strange > len(text) / 100:
        return 0.0
    return len(COMMON.findall(text)) / len(text)


def _is_western(data: bytes) -> bool:
    """Tell whether data that are not UTF-8 may be Windows-1252."""
    high = len(HIGH.findall(data))
    characters = UTF8_CHARACTER.findall(data)
    other = high - sum(map(len, characters))
    if CONTROL.search(data) or len(LETTER.findall(data)) < high:
        return False
    # as many characters of UTF-8 as other bytes: UTF-8 that is damaged
    if len(characters) >= other:
        return False
    signs = len(SIGN_IN_WORD.findall(data.decode("cp1252", errors="replace")))
    return signs <= MOST_SIGNS * high
