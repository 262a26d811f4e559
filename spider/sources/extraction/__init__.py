"""Text from the bytes of a file: one module for each file type.

A module of a file type has ``SUFFIXES`` (lower case, with the dot), ``extract(data)``,
``PACKAGE`` if it needs a package outside the core, and ``IN_PROCESS = True`` if it needs no limits
on memory and time. A new module in this folder adds a file type.
The only other edit is a sample file in the family's contract test.
"""
