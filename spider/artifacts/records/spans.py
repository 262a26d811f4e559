"""The details of a ``spans`` artifact."""

from dataclasses import dataclass
from typing import ClassVar

from spider.artifacts.record import DetailsRecord

WRITER = "mine"


@dataclass(frozen=True, kw_only=True)
class SpansRecord(DetailsRecord):
    """The manifest's details of mined spans.

    Attributes:
        last_passage_dropped: each document's last passage was left out of mining.
    """

    KIND: ClassVar[str] = "spans"
    PAYLOAD: ClassVar[tuple[str, ...]] = ("*.npy", "yield.*", "heldout/*/*")

    last_passage_dropped: bool
