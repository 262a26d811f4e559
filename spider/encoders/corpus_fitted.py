"""The protocol of an encoder that is fitted to a corpus alone, without pairs."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol, runtime_checkable

from spider.artifacts.artifact import Artifact
from spider.artifacts.records.encoder import EncoderRecord
from spider.corpus.corpus import Corpus
from spider.training.settings import TrainingSettings


class FittedEncoder(NamedTuple):
    """The results of a fit besides its files.

    Attributes:
        counts: the counts for the manifest.
        record: the details for the manifest.
        leftovers: sub-folders from which an interrupted fit resumes; no part of the artifact.
        unhashed: files that are no part of the content hash.
    """

    counts: Mapping[str, int]
    record: EncoderRecord
    leftovers: tuple[str, ...]
    unhashed: tuple[str, ...]


@runtime_checkable
class CorpusFitted(Protocol):
    """A configured variant whose training needs passages and no pairs.

    Attributes:
        variant: its file's name in ``spider/encoders/``.
    """

    variant: str

    @property
    def starts(self) -> tuple[str, ...]:
        """The folders, files or names on the hub that the fit begins with."""

    def inputs(self) -> Mapping[str, Artifact]:
        """Return the artifacts that the fit reads besides the corpus, by name.

        Raises:
            SpiderError: one of them cannot be used.
        """

    def fit(self, corpus: Corpus, folder: Path, *, training: TrainingSettings) -> FittedEncoder:
        """Fit the encoder in ``folder``, from an interrupted fit's state if there is one.

        Args:
            corpus: the passages.
            folder: receives the encoder's files.
            training: the seed and the device; the rest belongs to training on pairs.
        """
