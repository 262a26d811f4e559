"""Every limit on what is read, with its reason (decision 17).

A limit exists where a small file could take all memory or all time. Files of the kinds that people
have lie far below it. A file over a limit is refused or skipped in one line that names the limit.
The limit of an answer that is a regular expression is in ``spider/text/answer_pattern.py``.
"""

from dataclasses import dataclass, fields

from spider.errors import SettingError

MIB = 1 << 20

FREE_BYTES = 64 * MIB
"""Inflated bytes that any compressed file may give: 64 MiB fit everywhere."""

INFLATION = 200
"""Inflated bytes for each compressed byte beyond ``FREE_BYTES``.

English text compresses to between a third and a tenth, tables of numbers to a fiftieth. A file that
consists of zeros reaches 1,000 (gzip) to 2,500,000 (bzip2): 625 bytes gave 1.6 GB.
"""

LARGEST_WINDOW = 128 * MIB
"""Bytes of a decompressor's window.

``zstd -19`` and ``xz -9`` need 8 MiB and 64 MiB. A header can ask for 4 GiB.
"""

LONGEST_LINE = 64 * MIB
"""Bytes of one line of a file that is read by lines.

A line holds one document. The longest book has about 20 MiB. Parsing takes about five times the
memory of the line.
"""

LARGEST_MANIFEST = 64 * MIB
"""Bytes of a file ``manifest.json`` in a folder of documents, by which our artifacts are known.

A manifest that lists 1,000 skipped files for each of 20 reasons has 2 MiB.
"""


@dataclass(frozen=True, kw_only=True)
class ExtractionLimits:
    """Limits on one file of a folder; a file over a limit is skipped, counted and listed.

    They decide which files become documents, so they are part of the content. Processor time is
    counted, not time on the clock, so that a busy machine skips the same files.

    Attributes:
        largest_mib: MiB of a file, and of the text in it; a book has 1, a scanned PDF 100.
        seconds: processor time to extract one file's text; a PDF of 1,000 pages takes about 20.
        memory_mib: MiB of memory to extract one file's text; a PDF of 1,000 pages takes about 200.

    Raises:
        SettingError: a limit is below 1 (``seconds``: not above 0).
    """

    largest_mib: int = 256
    seconds: float = 60.0
    memory_mib: int = 2048

    def __post_init__(self) -> None:
        """Refuse limits that no file can keep."""
        for field in fields(self):
            value = getattr(self, field.name)
            least = 256 if field.name == "memory_mib" else 1
            if field.name == "seconds":
                if not value > 0:
                    raise SettingError("seconds", value, "a number above 0")
            elif value < least:
                raise SettingError(field.name, value, f"at least {least}")
