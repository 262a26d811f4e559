"""The contract of a fusion: named rankings of the same questions become one."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from spider.artifacts.variants import load_variant, variant_of
from spider.errors import ArtifactError, ConfigError, SettingError
from spider.ranking import Hits

FAMILY = "index.fusion"
DEPTHS: Mapping[str, int] = {"dense": 1000, "bm25": 1000}
"""The rankings that are joined by default, with the paper's depth k'."""


class Fused(NamedTuple):
    """A fused ranking, and the part of each ranking in its scores.

    Attributes:
        hits: the ranking.
        shares: by name, each ranking's part of a score, from 0 to 1; the parts of one passage
            add up to 1. 0 where padded.
    """

    hits: Hits
    shares: Mapping[str, Float32[np.ndarray, "questions depth"]]


class WeightChoice(NamedTuple):
    """A chosen weight, and the mean gain of every candidate.

    Attributes:
        weight: the best candidate; of equally good ones the smallest.
        curve: (weight, mean gain) of every candidate.
    """

    weight: float
    curve: tuple[tuple[float, float], ...]


@runtime_checkable
class Fusion(Protocol):
    """The settings of a variant, with the method that fuses."""

    @property
    def variant(self) -> str:
        """The module of ``index/fusion`` that loads it."""

    @property
    def depths(self) -> Mapping[str, int]:
        """The names of the joined rankings, and the number of passages that each contributes."""

    def settings(self) -> dict[str, Any]:
        """Return the settings from which :func:`load_fusion` makes an equal fusion."""

    def fuse(self, rankings: Mapping[str, Hits], depth: int) -> Fused:
        """Join one ranking for each name of :attr:`depths`.

        Args:
            rankings: the rankings of the same questions, by name.
            depth: passages kept for each question.

        Raises:
            ConfigError: a ranking is missing or unknown, or they differ in their questions.
        """


@runtime_checkable
class WeightedFusion(Fusion, Protocol):
    """A fusion with one weight that can be chosen without labels."""

    @property
    def untuned(self) -> str | None:
        """The name of the ranking whose weight has to be chosen; None if there is none."""

    def with_weight(self, weight: float) -> "WeightedFusion":
        """Return the same fusion with the untuned ranking's weight set."""

    def choose_weight(
        self, rankings: Mapping[str, Hits], relevant: Sequence[Sequence[int]]
    ) -> WeightChoice:
        """Choose the untuned ranking's weight.

        Args:
            rankings: the rankings of pseudo-questions, by name, each to its own depth.
            relevant: positions of the relevant passages of each pseudo-question.
        """


def check_depths(depths: Mapping[str, int]) -> None:
    """Refuse depths below 1, and a fusion without rankings.

    Raises:
        ConfigError: there is no ranking, or a depth is below 1.
    """
    if not depths:
        raise SettingError("depths", dict(depths), "a depth for each ranking")
    for name, depth in depths.items():
        if depth < 1:
            raise SettingError(f"depths.{name}", depth, "at least 1")


def check_rankings(rankings: Mapping[str, Hits], names: Mapping[str, Any]) -> None:
    """Refuse rankings that a fusion cannot join.

    Raises:
        ConfigError: their names are not those of the fusion, or they rank different numbers of
            questions.
    """
    if set(rankings) != set(names):
        raise ConfigError(
            f"this fusion joins the rankings {sorted(names)}, got {sorted(rankings)}; "
            "fusion.depths names those that it joins"
        )
    counts = {name: len(hits.positions) for name, hits in rankings.items()}
    if len(set(counts.values())) > 1:
        raise ConfigError(f"rankings of different numbers of questions cannot be fused: {counts}")


def load_fusion(settings: Mapping[str, Any]) -> Fusion:
    """Make the fusion that the settings in a manifest describe.

    Raises:
        ArtifactError: there is no such variant, or it does not know these settings.
    """
    load = load_variant(FAMILY, variant_of(settings, where="fusion settings"), what="fusion")
    try:
        fusion: Fusion = load(settings)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactError(
            f"fusion settings {dict(settings)} are of another version ({error!r}); "
            "build the index again"
        ) from error
    return fusion
