"""Settings of choosing the weight of the dense score."""

from dataclasses import dataclass

from spider.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class Tuning:
    """Settings of choosing the weight of the dense score.

    Attributes:
        queries: the largest number of held-out queries that are searched.
        fewest: with fewer queries the choice would be random, so a cautious weight is taken.
        seed: decides which queries are searched, if there are more.
    """

    queries: int = 1000
    fewest: int = 50
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        for name in ("queries", "fewest"):
            if getattr(self, name) < 1:
                raise SettingError(name, getattr(self, name), "at least 1")
