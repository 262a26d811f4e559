"""Split of a corpus into training, validation and test: the function and its record.

Documents are held out whole, except those that hold a large share of the passages, as a book among
notes does: of these, sections are held out, which are runs of consecutive passages.

Mining decides which documents are usable, applies :func:`split_documents` and writes the record
into the spans artifact. Everything else opens that record with :func:`open_split`, so what is held
out for the retriever is held out for the reader. Where there are no spans yet, the same rule splits
all documents. Mining later finds fewer usable ones, which moves some at the borders.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from spider.artifacts.array_stream import open_array
from spider.artifacts.artifact import Artifact
from spider.artifacts.atomic_files import save_array
from spider.corpus.corpus import Corpus
from spider.corpus.sections import FEWEST, SHORTEST, Sections, cut_sections
from spider.errors import ArtifactError, SettingError

TRAIN, VALIDATION, TEST, SECTIONS, NOT_USABLE = 0, 1, 2, 3, 255
SPLIT_NAMES = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
RECORD = "split.npy"
FEWEST_TO_SPLIT = 3
LARGE_SHARE = 0.1
"""A document with a larger share of the usable passages is split by sections: held out as a whole,
it would take too much from training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRule:
    """The rule that decides the part of each document.

    Attributes:
        validation_share: share of the usable documents kept for validation.
        test_share: share of the usable documents kept for testing.
        seed: decides which documents these are.

    Raises:
        ConfigError: a share is negative, or the shares leave nothing to train on.
    """

    validation_share: float = 0.1
    test_share: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("validation_share", "test_share"):
            if not getattr(self, name) >= 0:
                raise SettingError(name, getattr(self, name), "0 or more")
        if not self.validation_share + self.test_share < 1:
            raise SettingError(
                "test_share",
                self.test_share,
                f"less than 1 together with validation_share={self.validation_share}",
            )

    def parts(
        self, document_ids: Sequence[str], usable: Bool[np.ndarray, " documents"] | None = None
    ) -> UInt8[np.ndarray, " documents"]:
        """Return the part of each document.

        The usable documents are ordered by a seeded hash of their ids. The first ones are test and
        the last ones validation, so adding or deleting a document moves at most one document at
        each of the two borders. The shares are exact, rounded. From three usable documents on, each
        share above zero gets at least one document.

        Args:
            document_ids: the ids of the documents, in any order.
            usable: documents that can be held out; None means all. The others are ``NOT_USABLE``:
                no query can be made from them, and everything may train on them.
        """
        parts = np.full(len(document_ids), NOT_USABLE, dtype=np.uint8)
        numbers = range(len(document_ids)) if usable is None else np.flatnonzero(usable).tolist()
        order = order_by_hash(document_ids, numbers, self.seed)
        n_test = _share(self.test_share, len(order))
        n_validation = _share(self.validation_share, len(order))
        parts[order] = TRAIN
        parts[order[:n_test]] = TEST
        parts[order[len(order) - n_validation :]] = VALIDATION
        return parts


class DocumentSplit:
    """The part of each document of one corpus, and of each section of its large documents.

    Args:
        parts: 0 train, 1 validation, 2 test, 3 by sections, 255 not usable.
        sections: those of the documents that are split by sections; None if there are none.
    """

    def __init__(self, parts: UInt8[np.ndarray, " documents"], sections: Sections | None = None):
        self.parts = parts
        self.sections = sections or Sections.none()

    @property
    def training(self) -> Int64[np.ndarray, " training_documents"]:
        """Numbers of the documents to train on as a whole, ascending.

        Those that are not usable are among them, those that are split by sections are not.
        """
        return np.flatnonzero((self.parts == TRAIN) | (self.parts == NOT_USABLE)).astype(np.int64)

    @property
    def validation(self) -> Int64[np.ndarray, " validation_documents"]:
        """Numbers of the documents that are whole in validation, ascending."""
        return self.held_out("validation")

    @property
    def test(self) -> Int64[np.ndarray, " test_documents"]:
        """Numbers of the documents that are whole in test; no training and no choice uses them."""
        return self.held_out("test")

    def held_out(self, name: str) -> Int64[np.ndarray, " held_out_documents"]:
        """Return the numbers of the ``validation`` or ``test`` documents, ascending."""
        return np.flatnonzero(self.parts == SPLIT_NAMES[name]).astype(np.int64)

    @property
    def sectioned(self) -> Int64[np.ndarray, " sectioned_documents"]:
        """Numbers of the documents that are split by sections, ascending."""
        return np.flatnonzero(self.parts == SECTIONS).astype(np.int64)

    def sections_of(self, name: str) -> Int64[np.ndarray, "sections 4"]:
        """Return document, first passage, passage after the last and part of a part's sections."""
        return self.sections.of_part(SPLIT_NAMES[name])

    def withheld(self, document: int) -> Int64[np.ndarray, " withheld_passages"]:
        """Return the passages that training may not use of a document split by sections."""
        if self.parts[document] != SECTIONS:
            return np.zeros(0, dtype=np.int64)
        return self.sections.outside(document, TRAIN)

    def held_out_share(self) -> float:
        """Return the share of the usable documents that no training uses, parts of them counted."""
        usable = int(np.count_nonzero(self.parts != NOT_USABLE))
        held = float(len(self.validation) + len(self.test))
        for number in self.sectioned.tolist():
            rows = self.sections.rows[self.sections.rows[:, 0] == number]
            held += len(self.withheld(number)) / int((rows[:, 2] - rows[:, 1]).sum())
        return held / usable if usable else 0.0

    def save(self, folder: Path) -> None:
        """Write the record into an existing folder."""
        save_array(folder / RECORD, self.parts)
        self.sections.save(folder)

    @classmethod
    def load(cls, folder: Path) -> "DocumentSplit":
        """Open the record that :meth:`save` wrote, memory-mapped.

        Raises:
            ArtifactError: the record is missing, damaged, or holds an unknown part.
        """
        parts = open_array(folder / RECORD, np.uint8, ())
        known = (*SPLIT_NAMES.values(), SECTIONS, NOT_USABLE)
        if not np.isin(parts, known).all():
            raise ArtifactError(
                f"{folder / RECORD}: got {np.unique(parts).tolist()}, expected one of {known} for "
                "each document; mine again"
            )
        sectioned = np.flatnonzero(parts == SECTIONS)
        return cls(parts, Sections.load(folder, sectioned, len(SPLIT_NAMES)))


def split_documents(
    corpus: Corpus, rule: SplitRule, usable: Bool[np.ndarray, " documents"] | None = None
) -> DocumentSplit:
    """Split a corpus's documents by a rule, and the sections of the large ones among them.

    Args:
        corpus: the corpus.
        rule: see :meth:`SplitRule.parts`.
        usable: documents that can be held out; None means all.
    """
    ids = [corpus.document_id(number) for number in range(corpus.n_documents)]
    if usable is None:
        usable = np.ones(len(ids), dtype=np.bool_)
    sizes = np.array(
        [len(corpus.document_passages(number)) for number in range(len(ids))], dtype=np.int64
    )
    large = _large_documents(sizes, usable, rule)
    parts = rule.parts(ids, usable & ~large)
    parts[large] = SECTIONS
    rows = [
        (number, section.start, section.stop, part)
        for number in np.flatnonzero(large).tolist()
        for section, part in _sections(ids[number], corpus.document_passages(number), rule)
    ]
    return DocumentSplit(parts, Sections(np.array(rows, dtype=np.int64).reshape(-1, 4)))


def _large_documents(
    sizes: Int64[np.ndarray, " documents"], usable: Bool[np.ndarray, " documents"], rule: SplitRule
) -> Bool[np.ndarray, " documents"]:
    if not rule.validation_share + rule.test_share:
        return np.zeros(len(sizes), dtype=np.bool_)
    enough = sizes >= FEWEST * SHORTEST
    large = sizes > LARGE_SHARE * sizes[usable].sum()
    return np.asarray(usable & enough & large, dtype=np.bool_)


def _sections(document_id: str, passages: range, rule: SplitRule) -> Iterator[tuple[range, int]]:
    """Yield the sections of a document with their parts, by the rule that splits documents."""
    sections = cut_sections(passages)
    parts = rule.parts([f"{document_id}#{place}" for place in range(len(sections))])
    yield from zip(sections, parts.tolist(), strict=True)


def open_split(artifact: Artifact, corpus: Corpus) -> DocumentSplit:
    """Open the record of the artifact (``spans``) that holds a corpus's split.

    Raises:
        ArtifactError: the artifact was made from another corpus, or its record is damaged.
    """
    expected = artifact.parent_hash("corpus")
    if corpus.artifact.content_hash != expected:
        raise ArtifactError(
            f"{artifact.path} splits a corpus with content hash {expected}, but {corpus.path} has "
            f"{corpus.artifact.content_hash}; mine this corpus, or give the other one"
        )
    split = DocumentSplit.load(artifact.path)
    artifact.require_current()
    if len(split.parts) != corpus.n_documents:
        raise ArtifactError(
            f"{artifact.path / RECORD}: got {len(split.parts)} documents, expected "
            f"{corpus.n_documents} of {corpus.path}; mine again"
        )
    return split


def order_by_hash(
    document_ids: Sequence[str] | Mapping[int, str], numbers: Sequence[int], seed: int
) -> list[int]:
    """Return document numbers in the order of their ids' seeded hashes.

    The first ones are a sample that hardly changes when documents are added or deleted.
    """
    return sorted(numbers, key=lambda number: (seeded_hash(seed, document_ids[number]), number))


def seeded_hash(seed: int, text: str) -> int:
    """Return a 64-bit number that depends on both and on nothing else."""
    data = f"{seed}\0{text}".encode(errors="replace")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


def _share(share: float, total: int) -> int:
    exact = int(share * total + 0.5)
    return max(exact, 1) if share > 0 and total >= FEWEST_TO_SPLIT else exact
