"""Split of a corpus's documents into training, validation and test: the function and its record.

Mining decides which documents are usable, applies :meth:`SplitRule.parts` and writes the record
into the spans artifact. Everything else opens that record with :func:`open_split`, so a document
that is held out for the retriever is held out for the reader. Where there are no spans yet, the
same rule splits all documents. Mining later finds fewer usable ones, which moves some at the
borders.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from spider.artifacts.array_stream import open_array
from spider.artifacts.artifact import Artifact
from spider.artifacts.atomic_files import save_array
from spider.corpus.corpus import Corpus
from spider.errors import ArtifactError, SettingError

TRAIN, VALIDATION, TEST, NOT_USABLE = 0, 1, 2, 255
SPLIT_NAMES = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
RECORD = "split.npy"
FEWEST_TO_SPLIT = 3


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
    """The part of each document of one corpus.

    Args:
        parts: 0 train, 1 validation, 2 test, 255 not usable.
    """

    def __init__(self, parts: UInt8[np.ndarray, " documents"]):
        self.parts = parts

    @property
    def training(self) -> Int64[np.ndarray, " training_documents"]:
        """Numbers of the documents to train on, ascending; those that are not usable included."""
        return np.flatnonzero((self.parts == TRAIN) | (self.parts == NOT_USABLE)).astype(np.int64)

    @property
    def validation(self) -> Int64[np.ndarray, " validation_documents"]:
        """Numbers of the validation documents, ascending."""
        return self.held_out("validation")

    @property
    def test(self) -> Int64[np.ndarray, " test_documents"]:
        """Numbers of the test documents, ascending; no training and no choice uses them."""
        return self.held_out("test")

    def held_out(self, name: str) -> Int64[np.ndarray, " held_out_documents"]:
        """Return the numbers of the ``validation`` or ``test`` documents, ascending."""
        return np.flatnonzero(self.parts == SPLIT_NAMES[name]).astype(np.int64)

    def save(self, folder: Path) -> None:
        """Write the record into an existing folder."""
        save_array(folder / RECORD, self.parts)

    @classmethod
    def load(cls, folder: Path) -> "DocumentSplit":
        """Open the record that :meth:`save` wrote, memory-mapped.

        Raises:
            ArtifactError: the record is missing, damaged, or holds an unknown part.
        """
        parts = open_array(folder / RECORD, np.uint8, ())
        known = (*SPLIT_NAMES.values(), NOT_USABLE)
        if not np.isin(parts, known).all():
            raise ArtifactError(
                f"{folder / RECORD}: got {np.unique(parts).tolist()}, expected one of {known} for "
                "each document; mine again"
            )
        return cls(parts)


def split_documents(
    corpus: Corpus, rule: SplitRule, usable: Bool[np.ndarray, " documents"] | None = None
) -> DocumentSplit:
    """Split a corpus's documents by a rule; see :meth:`SplitRule.parts`."""
    ids = [corpus.document_id(number) for number in range(corpus.n_documents)]
    return DocumentSplit(rule.parts(ids, usable))


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
