"""Writes a corpus document by document, without holding it in memory."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from spider.artifacts.array_stream import ArrayStream
from spider.artifacts.string_table import StringTable, StringTableWriter, replace_surrogates
from spider.corpus.corpus import hash_passage
from spider.corpus.document import Document, PassageBounds
from spider.errors import DataError
from spider.text.passage_words import count_words


class DuplicateIdError(DataError):
    """Two documents or two passages have the same id.

    Args:
        what: ``document`` or ``passage``.
        identity: the id.
        places: where the two are, if that is known; else their numbers, from 1.
    """

    def __init__(self, what: str, identity: str, places: Sequence[str]):
        super().__init__(
            f"two {what}s have the id {identity!r}: {' and '.join(places[:2])}; ids must be "
            "unique; keep_first=true keeps the first and counts the others"
        )
        self.what = what
        self.identity = identity


class CorpusWriter:
    """Stream documents, already cut into passages, into the files that Corpus maps.

    Lone surrogates become U+FFFD (same number of code points) and are counted; a document without a
    word or a passage is counted and not kept.

    Args:
        folder: an existing, empty folder.
    """

    def __init__(self, folder: Path):
        self._folder = folder
        self._counts: Counter[str] = Counter(
            documents=0, passages=0, words=0, empty_documents=0, surrogates_replaced=0
        )
        self._text = (folder / "text.utf8").open("wb")
        self._end = 0
        self._titles = StringTableWriter(folder, "titles", searchable=False)
        self._document_ids = StringTableWriter(folder, "document_ids", searchable=True)
        self._passage_ids = StringTableWriter(folder, "passage_ids", searchable=True)
        self._text_offsets = ArrayStream(folder / "text.offsets.npy", np.dtype("<i8"))
        self._document_passages = ArrayStream(folder / "document_passages.npy", np.dtype("<i8"))
        self._passage_documents = ArrayStream(folder / "passage_documents.npy", np.dtype("<i4"))
        self._code_points = ArrayStream(
            folder / "passage_code_points.npy", np.dtype("<i4"), row_shape=(2,)
        )
        self._byte_ranges = ArrayStream(folder / "passage_bytes.npy", np.dtype("<i8"), (2,))
        self._hashes = ArrayStream(folder / "passage_hashes.npy", np.dtype(np.uint8), (16,))
        self._text_offsets.append(0)
        self._document_passages.append(0)

    @property
    def counts(self) -> dict[str, int]:
        """Counts of the documents and passages written so far."""
        return dict(self._counts)

    def add(self, document: Document) -> None:
        """Append a document.

        Raises:
            DataError: the document is not cut into passages, or a passage's bounds lie outside
                its text.
        """
        if document.passages is None:
            raise DataError(f"document {document.id!r} is not cut into passages; split it first")
        text = self._clean(document.text)
        words = count_words(text)
        if not words or not document.passages:
            self._counts["empty_documents"] += 1
            return
        title = self._clean(document.title)
        self._titles.add(title)
        self._document_ids.add(self._clean(document.id))
        for bounds in document.passages:
            if not 0 <= bounds.start < bounds.end <= len(text):
                raise DataError(
                    f"passage {bounds.id!r} of document {document.id!r} has bounds"
                    f" {bounds.start}..{bounds.end} in a text of {len(text)} code points"
                )
        self._add_passages(title, text, document.passages)
        self._counts["documents"] += 1
        self._counts["words"] += words

    def close(self) -> dict[str, int]:
        """Complete the files and return the counts.

        Raises:
            DuplicateIdError: two documents or two passages have the same id.
        """
        self._close_files()
        self._check_unique("document_ids", "document")
        self._check_unique("passage_ids", "passage")
        return self.counts

    def __enter__(self) -> "CorpusWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close_files()

    def _add_passages(self, title: str, text: str, passages: tuple[PassageBounds, ...]) -> None:
        number = self._counts["documents"]
        encoded = text.encode()
        ascii_only = len(encoded) == len(text)
        at_point, at_byte = 0, 0
        for bounds in passages:
            piece = text[bounds.start : bounds.end]
            if ascii_only:
                first, last = bounds.start, bounds.end
            else:
                # passages mostly ascend, so the distance from the one before is short
                if bounds.start < at_point:
                    at_point, at_byte = 0, 0
                first = at_byte + len(text[at_point : bounds.start].encode())
                last = first + len(piece.encode())
                at_point, at_byte = bounds.start, first
            self._passage_ids.add(self._clean(bounds.id))
            self._passage_documents.append(number)
            self._code_points.append((bounds.start, bounds.end))
            self._byte_ranges.append((self._end + first, self._end + last))
            self._hashes.append(np.frombuffer(hash_passage(title, piece), dtype=np.uint8))
            self._counts["passages"] += 1
        self._text.write(encoded)
        self._end += len(encoded)
        self._text_offsets.append(self._end)
        self._document_passages.append(self._counts["passages"])

    def _clean(self, text: str) -> str:
        cleaned, replaced = replace_surrogates(text)
        self._counts["surrogates_replaced"] += replaced
        return cleaned

    def _close_files(self) -> None:
        self._text.close()
        for part in (
            self._titles,
            self._document_ids,
            self._passage_ids,
            self._text_offsets,
            self._document_passages,
            self._passage_documents,
            self._code_points,
            self._byte_ranges,
            self._hashes,
        ):
            part.close()

    def _check_unique(self, table: str, what: str) -> None:
        duplicate = StringTable(self._folder, table).first_duplicate()
        if duplicate is not None:
            numbers = (duplicate.first + 1, duplicate.second + 1)
            places = [f"{what} number {number} (counted from 1)" for number in numbers]
            raise DuplicateIdError(what, duplicate.value, places)
