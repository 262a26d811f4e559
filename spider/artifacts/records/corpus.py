"""The details of a ``corpus`` artifact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from spider.artifacts.record import DetailsRecord

WRITER = "prepare"


@dataclass(frozen=True, kw_only=True)
class CorpusRecord(DetailsRecord):
    """The manifest's details of a corpus.

    Attributes:
        last_passage_padded: each document's last passage repeats the document's beginning.
        splitter: settings of the splitter that cut the passages.
        method: version of the code that reads and cuts documents; another version reads all files
            again.
        published: a collection with published figures, such as BEIR's; its BM25 has Anserini's
            analyzer unless a setting says otherwise.
    """

    KIND: ClassVar[str] = "corpus"
    PAYLOAD: ClassVar[tuple[str, ...]] = ("*.utf8", "*.npy", "sources/**")

    last_passage_padded: bool = False
    splitter: Mapping[str, Any] | None = None
    method: int | None = None
    published: bool | None = None
