"""The documentation in every Python installation: a corpus without a download.

It has two parts. ``pydoc_data.topics`` is the language reference as ``help()`` shows it: one
document per topic. The standard library's docstrings are read from its source files with ``ast``,
never by import: one document per module, its own docstring first, then each class's and function's
under a line with its qualified name and signature, in source order.

These are left out, because nobody searches for them: tests, IDLE, lib2to3, the turtle demos,
bundled wheels and packages that pip installed; functions inside functions; a private module or
package (its name begins with one underscore) without a docstring. Private modules with a docstring
stay: ``_pydecimal`` and ``_pyio`` document ``decimal`` and ``io``. So do private modules inside a
public
package: Python 3.13 documents ``pathlib`` in ``pathlib._local``.
"""

import ast
import hashlib
import importlib
import logging
import os
import platform
import re
import sysconfig
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from spider.corpus.document import Document
from spider.errors import DataError
from spider.reading import read_bytes

logger = logging.getLogger(__name__)

SKIPPED_FOLDERS = {
    *("__phello__", "__pycache__", "_bundled", "dist-packages", "idlelib", "lib-dynload"),
    *("lib2to3", "pydoc_data", "site-packages", "test", "tests", "turtledemo"),
}
CONFIGURATION_FOLDER = "config-"

# ":meth:`~http.client.HTTPConnection.send`" and "``None``" become the text that they quote
ROLE = re.compile(r":[a-z]+(?::[a-z]+)?:`[~!.]?([^`<>]+?)(?:(?<!\s)\s*+<[^`>]*>)?`")
LITERAL = re.compile(r"``([^`\n]+)``")
UNDERLINE = re.compile(r"^[ \t]*([*=\-~^#])\1{3,}[ \t]*\n?", re.MULTILINE)
BLANK_LINES = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class PythonDocumentation:
    """The Python documentation of an interpreter, as documents.

    Ids are ``topic/assert`` and ``module/json.decoder``. Order and text depend only on the
    interpreter's version.

    Args:
        include_topics: read ``pydoc_data.topics`` of the running interpreter.
        include_standard_library: read the docstrings of the standard library.
        standard_library: folder of its source files; None takes the running interpreter's.

    Attributes:
        counts: number of items read and skipped; complete after :meth:`documents`.
    """

    def __init__(
        self,
        *,
        include_topics: bool = True,
        include_standard_library: bool = True,
        standard_library: Path | None = None,
    ):
        self.include_topics = include_topics
        self.include_standard_library = include_standard_library
        self.standard_library = standard_library
        self.counts: dict[str, int] = {}

    def documents(self) -> Iterator[Document]:
        """Yield the topics, then the modules, each in the order of their names.

        Raises:
            DataError: nothing is found, since the standard library is zipped or has no sources.
        """
        self.counts = {"topics": 0, "modules": 0}
        if self.include_topics:
            yield from self._topic_documents()
        if self.include_standard_library:
            yield from self._module_documents()
        if not self.counts["topics"] + self.counts["modules"]:
            raise DataError(
                f"no Python documentation found: Python {platform.python_version()} has no "
                "pydoc_data topics or docstrings in source files here (a zipped or stripped "
                "standard library?); fix: use a Python with its .py files, or another source",
                path=self._folder(),
            )

    def fingerprint(self) -> str:
        """Return a digest of the Python version, the topics, and every source file that is read.

        The files are hashed without parsing, in a fiftieth of the time, so a check of an up-to-date
        corpus is fast.
        """
        digest = hashlib.blake2b(platform.python_version().encode(), digest_size=16)
        if self.include_topics:
            for name, text in sorted(_load_topics().items()):
                digest.update(f"\0{name}\0{text}".encode(errors="replace"))
        if self.include_standard_library:
            for module in _find_modules(self._folder()):
                digest.update(f"\0{module.name}\0".encode(errors="replace"))
                digest.update(_read_or_nothing(module.path))
        return digest.hexdigest()

    def _folder(self) -> Path:
        return self.standard_library or Path(sysconfig.get_path("stdlib"))

    def _topic_documents(self) -> Iterator[Document]:
        topics = _load_topics()
        for name in sorted(topics):
            title, text = _split_heading(topics[name])
            text = clean_markup(text)
            if text:
                self.counts["topics"] += 1
                yield Document(id=f"topic/{name}", title=title or name, text=text)

    def _module_documents(self) -> Iterator[Document]:
        skipped = {"unreadable_files": 0, "modules_without_docstrings": 0, "private_modules": 0}
        self.counts |= skipped
        for module in _find_modules(self._folder()):
            try:
                tree = _parse(module.path)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                logger.warning("%s: skipped, cannot be read: %s", module.path, error)
                self.counts["unreadable_files"] += 1
                continue
            if module.is_private and not ast.get_docstring(tree):
                self.counts["private_modules"] += 1
                continue
            text = "\n\n".join(_module_sections(tree))
            if text:
                self.counts["modules"] += 1
                yield Document(id=f"module/{module.name}", title=module.name, text=text)
            else:
                self.counts["modules_without_docstrings"] += 1


def clean_markup(text: str) -> str:
    """Remove the markup of reStructuredText that only a renderer needs.

    Roles and literals become the text that they quote, rows of underlining are removed, and several
    blank lines become one. Indentation, lists, tables and examples stay as they are.
    """
    text = ROLE.sub(r"\1", text.expandtabs().replace("\r\n", "\n"))
    text = UNDERLINE.sub("", LITERAL.sub(r"\1", text))
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return BLANK_LINES.sub("\n\n", text).strip("\n")


class _Module(NamedTuple):
    name: str
    path: Path

    @property
    def is_private(self) -> bool:
        return self.name.startswith("_") and not self.name.startswith("__")


def _load_topics() -> Mapping[str, str]:
    try:
        # pure data: the import only assigns one dictionary
        topics: Mapping[str, str] = importlib.import_module("pydoc_data.topics").topics
    except (ImportError, AttributeError):
        logger.warning("this Python carries no pydoc_data.topics: its language topics are missing")
        return {}
    return topics


def _split_heading(text: str) -> tuple[str, str]:
    """Return a topic's heading without its quotation marks, and the text under its underline."""
    lines = text.lstrip("\n").split("\n")
    if len(lines) > 1 and UNDERLINE.fullmatch(lines[1]):
        return lines[0].replace('"', "").strip(), "\n".join(lines[2:])
    return "", text


def _find_modules(folder: Path) -> list[_Module]:
    """List the modules under a folder by name."""
    modules = []
    for place, folders, files in os.walk(folder):
        # not entered: site-packages may be a hundred times as large as the standard library
        folders[:] = [name for name in folders if not _is_skipped(name)]
        paths = [Path(place, name) for name in files if name.endswith(".py")]
        modules += [_Module(_module_name(path.relative_to(folder)), path) for path in paths]
    return sorted(modules)


def _is_skipped(folder: str) -> bool:
    return folder in SKIPPED_FOLDERS or folder.startswith(CONFIGURATION_FOLDER)


def _module_name(relative: Path) -> str:
    parts = relative.with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def _read_or_nothing(path: Path) -> bytes:
    try:
        return read_bytes(path)
    except DataError:
        return b""


def _parse(path: Path) -> ast.Module:
    with warnings.catch_warnings():
        # a warning about an invalid escape in that file is of no use to the user
        warnings.simplefilter("ignore")
        return ast.parse(read_bytes(path))


def _module_sections(tree: ast.Module) -> Iterator[str]:
    """Yield the module's own docstring, then one section per documented definition."""
    docstring = clean_markup(ast.get_docstring(tree) or "")
    if docstring:
        yield docstring
    for qualified_name, node in _definitions(tree.body, ""):
        docstring = clean_markup(ast.get_docstring(node) or "")
        if docstring:
            yield f"{_heading(qualified_name, node)}\n{docstring}"


def _definitions(body: Iterable[ast.stmt], prefix: str) -> Iterator[tuple[str, Definition]]:
    """Yield classes, methods and functions in source order, also those under ``if`` and ``try``."""
    for node in body:
        if isinstance(node, Definition):
            yield f"{prefix}{node.name}", node
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.If | ast.With):
            yield from _definitions([*node.body, *getattr(node, "orelse", [])], prefix)
        elif isinstance(node, ast.Try):
            handlers = [statement for handler in node.handlers for statement in handler.body]
            parts = [*node.body, *handlers, *node.orelse, *node.finalbody]
            yield from _definitions(parts, prefix)


def _heading(qualified_name: str, node: Definition) -> str:
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        return f"class {qualified_name}({bases})" if bases else f"class {qualified_name}"
    return f"{qualified_name}({ast.unparse(node.args)})"
