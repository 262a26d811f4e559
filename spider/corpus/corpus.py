"""The corpus: documents and their passages on disk, memory-mapped, by position, id and document."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import SupportsIndex

import numpy as np

from spider.artifacts.array_stream import open_array
from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.folder.generation import steady
from spider.artifacts.records.corpus import CorpusRecord
from spider.artifacts.string_table import StringTable, damaged, map_bytes
from spider.corpus.document import Document, Passage, PassageBounds
from spider.errors import ArtifactError, DataError


def hash_passage(title: str, text: str) -> bytes:
    """Return the 16-byte BLAKE2b hash of a passage's title and text."""
    return hashlib.blake2b(f"{title}\0{text}".encode(), digest_size=16).digest()


class Corpus:
    """Passages of documents, read from disk when needed.

    A passage's position counts all passages in document order; a document's are adjacent. Only
    byte ranges of the mapped text are decoded, so reading a passage takes the same time everywhere.

    Args:
        artifact: an opened artifact of kind ``corpus``.

    Attributes:
        path: the artifact's folder.
        artifact: its manifest and parents.
        last_passage_padded: whether a document's last passage repeats its beginning, as in DPR's
            ``psgs_w100.tsv``.
        published: whether it is a collection with published figures, such as BEIR's.
        passage_hashes: uint8 [passages, 16], :func:`hash_passage` of each.
    """

    def __init__(self, artifact: Artifact):
        folder = artifact.path
        self.path = folder
        self.artifact = artifact
        record = CorpusRecord.from_manifest(artifact)
        self.last_passage_padded = record.last_passage_padded
        self.published = bool(record.published)
        self._text = map_bytes(folder / "text.utf8")
        self._text_offsets = open_array(folder / "text.offsets.npy", "<i8", ())
        self._titles = StringTable(folder, "titles")
        self._document_ids = StringTable(folder, "document_ids", searchable=True)
        self._passage_ids = StringTable(folder, "passage_ids", searchable=True)
        self._document_passages = open_array(folder / "document_passages.npy", "<i8", ())
        self._passage_documents = open_array(folder / "passage_documents.npy", "<i4", ())
        self._code_points = open_array(folder / "passage_code_points.npy", row_shape=(2,))
        self._byte_ranges = open_array(folder / "passage_bytes.npy", "<i8", (2,))
        self.passage_hashes: np.ndarray = open_array(folder / "passage_hashes.npy", np.uint8, (16,))
        expected = (artifact.counts.get("documents"), artifact.counts.get("passages"))
        if expected != (self.n_documents, len(self)):
            raise ArtifactError(
                f"{folder}: the manifest counts {expected[0]} documents and {expected[1]} passages,"
                f" the files hold {self.n_documents} and {len(self)}; prepare the corpus again"
            )
        artifact.require_current()

    @classmethod
    def open(cls, path: Path, content_hash: str | None = None) -> "Corpus":
        """Open the corpus in a folder.

        Args:
            path: the folder.
            content_hash: the content hash that it has to have, if given.

        Raises:
            ArtifactError: there is no complete corpus, or another one.
        """
        corpus = steady(path, lambda: cls(open_artifact(path, kind="corpus")))
        if content_hash is not None:
            corpus.artifact.require_content(content_hash, "this is another corpus now")
        return corpus

    def __reduce__(self) -> tuple[object, tuple[Path, str]]:
        """Pickle as path and hash: a spawned process maps the files of the same corpus itself."""
        return type(self).open, (self.path, self.artifact.content_hash)

    def __len__(self) -> int:
        return len(self._passage_documents)

    @property
    def n_documents(self) -> int:
        """Number of documents."""
        return len(self._document_passages) - 1

    def passage(self, position: SupportsIndex) -> Passage:
        """Return one passage with its document's id and title."""
        index = self._check(position)
        number = self.document_number(index)
        start, end = self._code_points[index].tolist()
        return Passage(
            id=self._passage_ids[index],
            document_id=self._document_ids[number],
            title=self._titles[number],
            text=self.text(index),
            start=start,
            end=end,
        )

    def text(self, position: SupportsIndex) -> str:
        """Return a passage's text, without its title."""
        index = self._check(position)
        start, end = self._byte_ranges[index].tolist()
        try:
            return self._text[start:end].decode()
        except UnicodeDecodeError as error:
            raise damaged(self.path, f"passage {index}", error) from error

    def title(self, position: SupportsIndex) -> str:
        """Return the title of a passage's document."""
        return self._titles[self.document_number(position)]

    def texts(self, positions: Iterable[SupportsIndex]) -> list[str]:
        """Return the texts of several passages, in the order of the argument."""
        places = self._places(positions)
        texts = []
        for place, (start, end) in zip(places, self._byte_ranges[places].tolist(), strict=True):
            try:
                texts.append(self._text[start:end].decode())
            except UnicodeDecodeError as error:
                raise damaged(self.path, f"passage {place}", error) from error
        return texts

    def titles(self, positions: Iterable[SupportsIndex]) -> list[str]:
        """Return the titles that belong to several passages, in the order of the argument."""
        numbers = self._passage_documents[self._places(positions)].tolist()
        titles = {number: self._titles[self._check_owner(number)] for number in set(numbers)}
        return [titles[number] for number in numbers]

    def passage_id(self, position: SupportsIndex) -> str:
        """Return a passage's id."""
        return self._passage_ids[self._check(position)]

    def position(self, passage_id: str) -> int:
        """Return the position of a passage id.

        Raises:
            DataError: the corpus has no such passage.
        """
        found = self._passage_ids.find(passage_id)
        if found is None:
            raise DataError(f"no passage has the id {passage_id!r}", path=self.path)
        return found

    def find_passage(self, passage_id: str) -> int | None:
        """Return the position of a passage id, or None where the corpus has no such passage."""
        return self._passage_ids.find(passage_id)

    def document(self, number: SupportsIndex) -> Document:
        """Return a whole document with the bounds of its passages."""
        index = self._check_document(number)
        start, end = self._text_offsets[index : index + 2].tolist()
        places = self.document_passages(index)
        bounds = self._code_points[places.start : places.stop].tolist()
        try:
            text = self._text[start:end].decode()
        except UnicodeDecodeError as error:
            raise damaged(self.path, f"document {index}", error) from error
        return Document(
            id=self._document_ids[index],
            title=self._titles[index],
            text=text,
            passages=tuple(
                PassageBounds(self._passage_ids[place], *pair)
                for place, pair in zip(places, bounds, strict=True)
            ),
        )

    def document_id(self, number: SupportsIndex) -> str:
        """Return a document's id."""
        return self._document_ids[self._check_document(number)]

    def find_document(self, document_id: str) -> int | None:
        """Return the number of a document id, or None where the corpus has no such document."""
        return self._document_ids.find(document_id)

    def document_passages(self, number: SupportsIndex) -> range:
        """Return the positions of a document's passages."""
        index = self._check_document(number)
        start, end = self._document_passages[index : index + 2].tolist()
        if not 0 <= start <= end <= len(self):
            raise damaged(self.path, "document_passages.npy", f"{start} to {end}")
        return range(start, end)

    def document_number(self, position: SupportsIndex) -> int:
        """Return the number of the document that a passage was cut from."""
        return self._check_owner(int(self._passage_documents[self._check(position)]))

    def _check_owner(self, number: int) -> int:
        if not 0 <= number < self.n_documents:
            raise damaged(self.path, "passage_documents.npy", number)
        return number

    def _places(self, positions: Iterable[SupportsIndex]) -> list[int]:
        return [self._check(position) for position in positions]

    def _check(self, position: SupportsIndex) -> int:
        index = position.__index__()
        # a negative position is padding of a run, never "counted from the end"
        if not 0 <= index < len(self._passage_documents):
            raise IndexError(f"position {index} in a corpus of {len(self)} passages")
        return index

    def _check_document(self, number: SupportsIndex) -> int:
        index = number.__index__()
        if not 0 <= index < self.n_documents:
            raise IndexError(f"document number {index} in a corpus of {self.n_documents}")
        return index
