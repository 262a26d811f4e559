"""Finds the file types: the modules of this folder that name their suffixes."""

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import NamedTuple

from spider.sources import extraction
from spider.sources.extraction.extracted import Extracted
from spider.sources.optional_package import OptionalPackage


class FileType(NamedTuple):
    """A file type that can be read.

    Attributes:
        name: its module's name.
        suffixes: suffixes of its files, in lower case with the dot.
        extract: returns title and text of a file's bytes, or raises ``NotExtractedError``.
        package: the package outside the core that it needs, or None.
        isolated: whether a process with limits extracts it. A module that does little more than
            decode names ``IN_PROCESS = True``; a parser can hang or take all memory.
    """

    name: str
    suffixes: tuple[str, ...]
    extract: Callable[[bytes], Extracted]
    package: OptionalPackage | None
    isolated: bool = True


@cache
def file_types() -> tuple[FileType, ...]:
    """Return all file types, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(extraction.__path__))
    modules = [import_module(f"{extraction.__name__}.{name}") for name in names]
    return tuple(
        FileType(
            name,
            module.SUFFIXES,
            module.extract,
            getattr(module, "PACKAGE", None),
            isolated=not getattr(module, "IN_PROCESS", False),
        )
        for name, module in zip(names, modules, strict=True)
        if hasattr(module, "SUFFIXES")
    )
