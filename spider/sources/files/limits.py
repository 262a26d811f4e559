"""Every limit on what is read, with its reason.

A limit exists where a small file could take all memory, or all time. Files of the kind that people
have lie far below it. A file over a limit is refused or skipped in one line that names the limit.
"""

FREE_BYTES = 64 << 20
"""Inflated bytes that any compressed file may give: 64 MiB fit everywhere."""

INFLATION = 200
"""Inflated bytes for each compressed byte beyond ``FREE_BYTES``.

English text compresses to between a third and a tenth, tables of numbers to a fiftieth. A file that
consists of zeros reaches 1,000 (gzip) to 2,500,000 (bzip2): 625 bytes gave 1.6 GB.
"""

LARGEST_WINDOW = 128 << 20
"""Bytes of a decompressor's window.

``zstd -19`` and ``xz -9`` need 8 MiB and 64 MiB. A header can ask for 4 GiB.
"""

LONGEST_LINE = 64 << 20
"""Bytes of one line of a file that is read by lines.

A line holds one document. The longest book has about 20 MiB. Parsing takes about five times the
memory of the line.
"""
