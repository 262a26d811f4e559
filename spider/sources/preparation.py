"""Writes the corpus of a source: splits documents, and reuses those of an older corpus."""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from spider.artifacts.artifact import Artifact
from spider.artifacts.atomic_files import write_text
from spider.artifacts.records.corpus import CorpusRecord
from spider.artifacts.string_table import hash_string
from spider.corpus.corpus import Corpus
from spider.corpus.document import Document
from spider.corpus.splitting import WordSplitter
from spider.corpus.writer import CorpusWriter, DuplicateIdError
from spider.errors import ArtifactError, DataError
from spider.printable import counted
from spider.progress import Progress
from spider.reading import parse_json, read_text
from spider.sources.document_source import READ, DocumentSource, FileRecord, FileSource, skipped_by
from spider.sources.reading_report import ReadingReport

SOURCES = "sources"
RECORDS = "files.jsonl"
# increased when extraction or splitting gives another result for the same bytes
METHOD = 2

logger = logging.getLogger(__name__)


class Preparation:
    """Writes the corpus of a source, and reuses unchanged files of an older corpus.

    The bytes of the result are the same with and without an older corpus.

    Args:
        source: where the documents come from.
        splitter: cuts the documents that the source has not cut.
        previous: an older corpus, if any.
        config: the settings of this run, without the path of the source.
        keep_first: of the documents or passages with one id, keep the first and count the others;
            otherwise a second one is an error.
    """

    def __init__(
        self,
        *,
        source: DocumentSource,
        splitter: WordSplitter,
        previous: Artifact | None,
        config: Mapping[str, Any],
        keep_first: bool = False,
    ):
        self.source = source
        self.splitter = splitter
        self.keep_first = keep_first
        self.repeated = ReadingReport("rows_read")
        self.changes: Counter[str] = Counter()
        self._older = _reusable(previous, config)

    @property
    def record(self) -> CorpusRecord:
        """The details for the manifest."""
        return CorpusRecord(
            last_passage_padded=bool(getattr(self.source, "last_passage_padded", False)),
            splitter=self.splitter.settings,
            method=METHOD,
            published=True if getattr(self.source, "published", False) else None,
        )

    def write(self, folder: Path) -> dict[str, int]:
        """Write the corpus's files and return the counts.

        Raises:
            DataError: the source is malformed, or yields no document.
        """
        with (
            CorpusWriter(folder) as writer,
            Progress(total=None, unit="documents", label="prepare") as progress,
        ):
            documents = self._documents(folder)
            for document in self._first_ones(documents) if self.keep_first else documents:
                writer.add(self.splitter.split(document))
                progress.advance()
            counts = self._close(writer)
        if not counts["documents"]:
            raise DataError(self._nothing())
        repeated = {name: number for name, number in self.repeated.counts.items() if number}
        return {**counts, **repeated, **self.source.counts}

    @property
    def skipped(self) -> Mapping[str, Any]:
        """What the source skipped, and the repeated ids, with examples, by reason."""
        return {**skipped_by(self.source), **self.repeated.skipped}

    def _close(self, writer: CorpusWriter) -> dict[str, int]:
        try:
            return writer.close()
        except DuplicateIdError as error:
            find = getattr(self.source, "places_of", None)
            places = [] if find is None else find(error.identity)
            if len(places) < 2:
                raise
            raise DuplicateIdError(error.what, error.identity, places) from error

    def _first_ones(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Leave out documents and passages whose id an earlier one has."""
        # hashes of 8 bytes instead of the ids
        documents_seen: set[int] = set()
        passages_seen: set[int] = set()
        for document in documents:
            if document.passages is None:
                if not _seen(document.id, documents_seen):
                    yield document
                else:
                    self.repeated.skip("repeated_id", document.id)
                continue
            kept = []
            for passage in document.passages:
                if not _seen(passage.id, passages_seen):
                    kept.append(passage)
                else:
                    self.repeated.skip("repeated_id", passage.id)
            if kept:
                # a document of given passages has the id of the first
                named = document.id == document.passages[0].id
                identity = kept[0].id if named else document.id
                yield replace(document, id=identity, passages=tuple(kept))

    def _documents(self, folder: Path) -> Iterator[Document]:
        if not isinstance(self.source, FileSource):
            return self.source.documents()
        return self._documents_of_files(self.source, folder / SOURCES)

    def _documents_of_files(self, source: FileSource, folder: Path) -> Iterator[Document]:
        known = {} if self._older is None else _load_records(self._older)
        records: list[FileRecord] = []
        for record, document in source.files(known, self._older_document):
            records.append(record)
            if document is not None:
                yield document
        folder.mkdir(exist_ok=True)
        lines = (json.dumps(record) + "\n" for record in records)
        write_text(folder / RECORDS, "".join(lines))
        self._compare(known, records)

    def _older_document(self, name: str) -> Document | None:
        if self._older is None:
            return None
        number = self._older.find_document(name)
        return None if number is None else self._older.document(number)

    def _compare(self, known: Mapping[str, FileRecord], records: list[FileRecord]) -> None:
        """Count the added, changed, deleted and unchanged files among those that are documents."""
        self.changes.update(added=0, changed=0, deleted=0, unchanged=0)
        now = {record.id: record.digest for record in records if record.outcome == READ}
        before = {name: record.digest for name, record in known.items() if record.outcome == READ}
        for name, digest in now.items():
            if name not in before:
                self.changes["added"] += 1
            else:
                self.changes["unchanged" if before[name] == digest else "changed"] += 1
        self.changes["deleted"] = len(before.keys() - now.keys())
        if self._older is not None:
            logger.info(
                "prepare: %s unchanged, %d changed, %d added, %d deleted",
                counted(self.changes["unchanged"], "file"),
                *(self.changes[kind] for kind in ("changed", "added", "deleted")),
            )

    def _nothing(self) -> str:
        """Return a message that says why there is no document, and how to fix it."""
        place = getattr(self.source, "path", "the source")
        skipped = [
            f"{entry['count']} {reason}" + (f" ({entry['hint']})" if entry["hint"] else "")
            for reason, entry in skipped_by(self.source).items()
        ]
        if not skipped:
            return f"{place}: nothing to read; expected at least one document with text"
        return f"{place}: no document with text; skipped: {', '.join(skipped)}"


def _seen(identity: str, seen: set[int]) -> bool:
    key = hash_string(identity.encode(errors="surrogatepass"))
    if key in seen:
        return True
    seen.add(key)
    return False


def _reusable(previous: Artifact | None, config: Mapping[str, Any]) -> Corpus | None:
    """Open an older corpus if the same settings made it from files."""
    if previous is None or not (previous.path / SOURCES / RECORDS).is_file():
        return None
    if previous.config != config:
        return None
    try:
        if CorpusRecord.from_manifest(previous).method != METHOD:
            return None
        return Corpus(previous)
    except (ArtifactError, OSError, ValueError) as error:
        logger.warning("the older corpus is not reused: %s", error)
        return None


def _load_records(corpus: Corpus) -> dict[str, FileRecord]:
    path = corpus.path / SOURCES / RECORDS
    records = {}
    for number, line in enumerate(read_text(path, error=ArtifactError).splitlines(), start=1):
        entry = parse_json(line, path, error=ArtifactError, line=number)
        if not _is_record(entry):
            raise ArtifactError(f"{path}:{number}: not the record of a file; prepare again")
        record = FileRecord(*entry)
        records[record.id] = record
    return records


def _is_record(entry: Any) -> bool:
    """Return whether a line holds the fields of a FileRecord; the last ones may be missing."""
    kinds = (str, str, str, str, str, int, int)
    return (
        isinstance(entry, list)
        and 3 <= len(entry) <= len(kinds)
        and all(type(value) is kind for value, kind in zip(entry, kinds, strict=False))
    )
