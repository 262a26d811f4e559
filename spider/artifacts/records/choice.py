"""The details of a ``choice`` artifact: the encoder that the next stages make, and why."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from spider.artifacts.record import DetailsRecord

WRITER = "choose-encoder"
CHOICE = "choice.json"
"""The same, as a file."""

Architecture = Literal["words", "static", "bert", "student"]
"""``words`` is BM25 alone; the others are files in :mod:`spider.encoders`."""


@dataclass(frozen=True, kw_only=True)
class ChoiceRecord(DetailsRecord):
    """The manifest's details of a choice.

    Attributes:
        architecture: the encoder of the passages.
        start: the published encoder that it starts from; "" is none.
        adapts: whether training changes the weights of the start.
        reason: the choice and its reason in plain words. The estimates behind it are in the
            manifest's ``volatile``, since another machine has others.
    """

    KIND: ClassVar[str] = "choice"
    PAYLOAD: ClassVar[tuple[str, ...]] = (CHOICE,)

    architecture: Architecture
    start: str
    adapts: bool
    reason: str
