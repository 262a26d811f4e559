"""Text from the bytes of a file: one module for each file type.

A module of a file type has ``SUFFIXES`` (lower case, with the dot), ``extract(data)``, and where it
needs a package outside the core, ``PACKAGE``. A further module in this folder adds a file type;
nothing else is edited but the family's contract test, which wants a sample file.
"""
