"""The details of a ``run`` artifact."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from spider.artifacts.record import DetailsRecord

WRITER = "search"


@dataclass(frozen=True, kw_only=True)
class RunRecord(DetailsRecord):
    """The manifest's details of a run, which holds the rankings of one question set.

    Attributes:
        systems: the rankings, each in the folder of its name.
        label: what reports call these systems (``untrained``, say); may be empty.
        depth: the largest number of passages of a question.
        questions: name of the question set.
        fusion: settings of the fusion; null without a fused ranking.
        note: a sentence about the systems for reports; may be empty.
    """

    KIND: ClassVar[str] = "run"
    PAYLOAD: ClassVar[tuple[str, ...]] = ("questions/*", "*/positions.npy", "*/scores.npy")

    systems: tuple[str, ...]
    label: str
    depth: int
    questions: str
    fusion: Mapping[str, Any] | None
    note: str
