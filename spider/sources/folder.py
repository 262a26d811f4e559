"""The files of a folder, of every type in ``spider/sources/extraction``."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Set
from pathlib import Path, PurePosixPath
from typing import Any

from spider.corpus.document import Document
from spider.errors import DataError, SpiderError
from spider.reading import open_regular, parse_json
from spider.settings import Execution
from spider.sources.document_source import READ, FileRecord
from spider.sources.extraction.extracted import NotExtractedError
from spider.sources.extraction.file_types import FileType, file_types
from spider.sources.extraction.isolation import Isolation, over
from spider.sources.extraction.worker import OVER_SIZE
from spider.sources.files.folder_walk import Entry, walk
from spider.sources.files.limits import LARGEST_MANIFEST, MIB, ExtractionLimits
from spider.sources.formats.recognition import recognise
from spider.sources.reading_report import ReadingReport

DEFAULT_LIMITS = ExtractionLimits()


class Folder:
    """Documents from the files under a folder; a file's relative path is its document's id.

    Hidden files and folders, and artifacts of this package, are ignored. Every other file or folder
    that yields no document is counted by reason and listed.

    Args:
        path: the folder.
        exclude: names of folders that are not entered.
        limits: largest file, and most time and memory to extract the text of one.

    Attributes:
        cut_short: whether the last ``entries()`` left sub-folders out.
    """

    def __init__(
        self,
        *,
        path: Execution[Path | str],
        exclude: tuple[str, ...] = ("spider-work", "node_modules", "__pycache__"),
        limits: ExtractionLimits = DEFAULT_LIMITS,
    ):
        self.path = Path(path).expanduser()
        self.exclude = exclude
        self.limits = limits
        self.cut_short = False
        self._report = ReadingReport("files_read")
        types = file_types()
        self._types = {suffix: kind for kind in types for suffix in kind.suffixes}
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
        listing += [
            [entry.id, entry.size, entry.modified] for entry in self.entries() if not entry.reason
        ]
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
        with Isolation(self.limits) as isolation:
            for entry in self.entries():
                record, document = self._read(entry, known.get(entry.id), recall, isolation)
                record = record._replace(size=entry.size, modified=entry.modified)
                if document is None:
                    self._report.skip(record.outcome, entry.id, hint=record.hint)
                else:
                    self._report.add_read()
                    if record.encoding:
                        self._report.add(f"decoded_{record.encoding}")
                yield record, document

    def _read(
        self,
        entry: Entry,
        before: FileRecord | None,
        recall: Callable[[str], Document | None],
        isolation: Isolation,
    ) -> tuple[FileRecord, Document | None]:
        name = entry.id
        if entry.reason:
            return FileRecord(name, "", entry.reason, entry.hint), None
        kind = self._types.get(entry.path.suffix.lower())
        if kind is None:
            suffix = PurePosixPath(name).suffix.lower()[:12]
            return FileRecord(name, "", f"format{suffix or '_without_suffix'}"), None
        try:
            data = self._bytes(entry.path)
        except NotExtractedError as error:
            return FileRecord(name, "", error.reason, error.hint), None
        digest = hashlib.blake2b(data, digest_size=16).hexdigest()
        if before is not None and before.digest == digest and before.outcome == READ:
            document = recall(name)
            if document is not None:
                return before, document
        return self._extract(entry, kind, data, FileRecord(name, digest, READ), isolation)

    def _bytes(self, path: Path) -> bytes:
        """Return the content of a file; a limit holds for a file that grows, too."""
        largest = self.limits.largest_mib * MIB
        try:
            with open_regular(path) as file:
                data = file.read(largest + 1)
        except (SpiderError, OSError) as error:
            cause = error.__cause__ or error
            gone = isinstance(cause, FileNotFoundError)
            said = str(error).removeprefix(f"{path}: ")
            raise NotExtractedError("vanished" if gone else "unreadable", hint=said) from error
        if len(data) > largest:
            raise NotExtractedError(OVER_SIZE, hint=over(OVER_SIZE, self.limits))
        return data

    def _extract(
        self, entry: Entry, kind: FileType, data: bytes, record: FileRecord, isolation: Isolation
    ) -> tuple[FileRecord, Document | None]:
        try:
            title, text, encoding = isolation.extract(kind, data)
        except NotExtractedError as error:
            return record._replace(outcome=error.reason, hint=error.hint), None
        if not text.split():
            return record._replace(outcome="empty"), None
        document = Document(id=entry.id, title=title or _title_from(entry.id), text=text)
        return record._replace(encoding=encoding), document

    @property
    def suffixes(self) -> Set[str]:
        """The suffixes of the files that are read, in lower case."""
        return self._types.keys()

    def entries(self, *, most_folders: int | None = None) -> Iterator[Entry]:
        """Yield what is in the folder, without opening a file.

        Args:
            most_folders: sub-folders that are looked at; None for all. ``cut_short`` says whether
                there are more.

        Raises:
            DataError: there is no such folder.
        """
        self.cut_short = False
        found = recognise(self.path) if self.path.is_file() else None
        if found is not None:
            raise DataError(
                "expected a folder of documents; this is a file; spider prepare reads it with "
                f"source={found.source}",
                path=self.path,
            )
        looked_at = 0

        def enters(folder: Path) -> bool:
            nonlocal looked_at
            looked_at += 1
            if most_folders is not None and looked_at > most_folders:
                self.cut_short = True
                return False
            return folder.name not in self.exclude and not _is_artifact(folder)

        return walk(self.path, enters)


def _title_from(name: str) -> str:
    stem = PurePosixPath(name).stem
    return " ".join(stem.replace("_", " ").replace("-", " ").split()) or stem


def _is_artifact(folder: Path) -> bool:
    """Tell whether a folder is an artifact of this package, or one being written."""
    try:
        if (folder / ".fingerprint.json").is_file():
            return True
        with open_regular(folder / "manifest.json") as file:
            manifest = parse_json(file.read(LARGEST_MANIFEST), folder / "manifest.json")
    except (SpiderError, OSError):
        # a folder that may not be read is listed when it is entered
        return False
    return isinstance(manifest, dict) and {"schema", "content_hash"} <= manifest.keys()
