"""The details of a ``report`` artifact."""

from dataclasses import dataclass
from typing import ClassVar

from spider.artifacts.record import DetailsRecord

WRITER = "evaluate-retrieval"


@dataclass(frozen=True, kw_only=True)
class ReportRecord(DetailsRecord):
    """The manifest's details of a report.

    Attributes:
        question_set: its name.
        systems: the systems that were compared.
    """

    KIND: ClassVar[str] = "report"
    PAYLOAD: ClassVar[tuple[str, ...]] = (
        "report.*",
        "first_hits.*",
        "top_k.svg",
        "trec/*",
        "dpr/*",
    )

    question_set: str
    systems: tuple[str, ...]
