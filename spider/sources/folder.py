"""The files of a folder, of every type in ``spider/sources/extraction``."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from spider.artifacts.atomic_files import read_json
from spider.corpus.document import Document
from spider.errors import DataError
from spider.settings import Execution
from spider.sources.document_source import READ, FileRecord
from spider.sources.extraction.extracted import NotExtractedError
from spider.sources.extraction.file_types import file_types
from spider.sources.formats.recognition import recognise
from spider.sources.reading_report import ReadingReport


class Folder:
    """Documents from the files under a folder; a file's relative path is its document's id.

    Hidden files and folders, and artifacts of this package, are ignored. Every other file
    that yields no document is counted by reason and listed.

    Args:
        path: the folder.
        exclude: names of folders that are not entered.
    """

    def __init__(
        self,
        *,
        path: Execution[Path | str],
        exclude: tuple[str, ...] = ("spider-work", "node_modules", "__pycache__"),
    ):
        self.path = Path(path).expanduser()
        self.exclude = exclude
        self._report = ReadingReport("files_read")
        types = file_types()
        self._extractors = {suffix: kind.extract for kind in types for suffix in kind.suffixes}
        packages = {kind.package for kind in types if kind.package is not None}
        self._packages = sorted(packages, key=lambda package: package.module)

    @property
    def counts(self) -> Mapping[str, int]:
        """Number of files read, and of files skipped by reason."""
        return self._report.counts

    @property
    def skipped(self) -> Mapping[str, Mapping[str, Any]]:
        """Examples of skipped files, by reason."""
        return self._report.skipped

    def fingerprint(self) -> list[list[str | int]]:
        """Return a value that changes whenever the documents may change.

        It holds the relative path, size and modification time (ns) of every file, and the names of
        the installed optional packages.
        """
        listing: list[list[str | int]] = [
            [package.module, int(package.installed)] for package in self._packages
        ]
        for file in self._files():
            try:
                stat = file.stat()
            except OSError:
                # a dangling link, which files() reports
                continue
            listing.append([self._id(file), stat.st_size, stat.st_mtime_ns])
        return listing

    def documents(self) -> Iterator[Document]:
        """Yield the documents, by path; a folder's own files come before its sub-folders.

        Raises:
            DataError: there is no such folder.
        """
        for _, document in self.files({}, lambda _: None):
            if document is not None:
                yield document

    def files(
        self, known: Mapping[str, FileRecord], recall: Callable[[str], Document | None]
    ) -> Iterator[tuple[FileRecord, Document | None]]:
        """Yield the record of every file, with its document if it has one.

        Args:
            known: records of an earlier reading, by id; a file with the same bytes is not
                extracted again.
            recall: returns the document that an earlier reading made of a file, or None.

        Raises:
            DataError: there is no such folder.
        """
        self._report = ReadingReport("files_read")
        for file in self._files():
            name = self._id(file)
            record, document = self._read(file, name, known.get(name), recall)
            if document is None:
                self._report.skip(record.outcome, name, hint=record.hint)
            else:
                self._report.add_read()
            yield record, document

    def _read(
        self,
        file: Path,
        name: str,
        before: FileRecord | None,
        recall: Callable[[str], Document | None],
    ) -> tuple[FileRecord, Document | None]:
        extract = self._extractors.get(file.suffix.lower())
        if extract is None:
            return FileRecord(
                name, "", f"format{file.suffix.lower()[:12] or '_without_suffix'}"
            ), None
        if not file.is_file():
            # reading a pipe would block, and a dangling link has no content
            return FileRecord(name, "", "not_a_file"), None
        try:
            data = file.read_bytes()
        except OSError as error:
            return FileRecord(name, "", "unreadable", error.strerror or ""), None
        digest = hashlib.blake2b(data, digest_size=16).hexdigest()
        if before is not None and before.digest == digest and before.outcome == READ:
            document = recall(name)
            if document is not None:
                return before, document
        try:
            title, text = extract(data)
        except NotExtractedError as error:
            return FileRecord(name, digest, error.reason, error.hint), None
        if not text.split():
            return FileRecord(name, digest, "empty"), None
        document = Document(id=name, title=title or _title_from(file), text=text)
        return FileRecord(name, digest, READ), document

    def _id(self, file: Path) -> str:
        return file.relative_to(self.path).as_posix()

    def _files(self) -> Iterator[Path]:
        if not self.path.is_dir():
            state = "is a file" if self.path.exists() else "does not exist"
            found = recognise(self.path)
            hint = "" if found is None else f"; spider prepare reads it with source={found.source}"
            raise DataError(f"expected a folder of documents; this {state}{hint}", path=self.path)
        for root, folders, names in os.walk(self.path):
            here = Path(root)
            folders[:] = sorted(name for name in folders if self._enters(here / name))
            for name in sorted(names):
                if not name.startswith("."):
                    yield here / name

    def _enters(self, folder: Path) -> bool:
        name = folder.name
        return not (name.startswith(".") or name in self.exclude or _is_artifact(folder))


def _title_from(file: Path) -> str:
    return " ".join(file.stem.replace("_", " ").replace("-", " ").split()) or file.stem


def _is_artifact(folder: Path) -> bool:
    """Tell whether a folder is an artifact of this package, or one being written."""
    if (folder / ".fingerprint.json").is_file():
        return True
    try:
        manifest = read_json(folder / "manifest.json")
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and {"schema", "content_hash"} <= manifest.keys()
