"""Text from the bytes of a file: one module for each file type.

A module of a file type has ``SUFFIXES`` (lower case, with the dot), ``extract(data)``, and
``PACKAGE`` if it needs a package outside the core. A new module in this folder adds a file type.
The only other edit is a sample file in the family's contract test.
"""
