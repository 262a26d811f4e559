"""Decoding of text files."""

import codecs

from spider.sources.extraction.extracted import NotExtractedError

SNIFFED = 8192
"""Bytes at a file's beginning that are searched for a zero byte or a declared encoding."""


def decode(data: bytes) -> str:
    """Decode UTF-8, or UTF-16 with a byte order mark; every line break becomes a newline.

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
