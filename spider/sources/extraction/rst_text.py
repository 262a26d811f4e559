"""reStructuredText, unchanged."""

import re

from spider.sources.extraction.decoding import decode
from spider.sources.extraction.extracted import Extracted

SUFFIXES = (".rst",)

HEADING = re.compile(
    r"^(?:([=\-~^\"'#*+`:.])\1{2,}[ \t]*\n)?[ \t]*(\S.*?)[ \t]*\n([=\-~^\"'#*+`:.])\3{2,}[ \t]*$",
    re.MULTILINE,
)


def extract(data: bytes) -> Extracted:
    """Return the text, with its first section's title.

    Raises:
        NotExtractedError: ``binary`` or ``not_utf8``.
    """
    text = decode(data)
    heading = HEADING.search(text)
    return Extracted(heading[2] if heading else "", text)
