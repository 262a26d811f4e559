"""Numbers that a report must reach, such as ``hybrid.top_20: 0.5``; else the exit code is 6."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from eval.reports.report import Report
from spider.errors import ConfigError, MetricMissedError


class Requirement(NamedTuple):
    """One number to reach: a measure of a system, and its least value as a fraction."""

    system: str
    measure: str
    least: float


def parse_requirements(
    require: Mapping[str, float | Mapping[str, float]],
    systems: Sequence[str],
    measures: Sequence[str],
) -> list[Requirement]:
    """Read ``{"hybrid.top_20": 0.5}``; called before any work, so that a typo is found early.

    ``{"hybrid": {"top_20": 0.5}}``, which is what the command line's ``+require.hybrid.top_20=0.5``
    makes, means the same.

    Raises:
        ConfigError: no such system or measure, or a value that is not a fraction.
    """
    parsed = []
    for key, least in _flat(require):
        system, _, measure = key.rpartition(".")
        if system not in systems or measure not in measures:
            raise ConfigError(
                f"require: got {key!r}, expected SYSTEM.MEASURE with SYSTEM of {list(systems)} "
                f"and MEASURE of {list(measures)}"
            )
        if not 0.0 <= least <= 1.0:
            raise ConfigError(f"require: {key} is {least}, expected a fraction from 0 to 1")
        parsed.append(Requirement(system, measure, least))
    return parsed


def _flat(require: Mapping[str, float | Mapping[str, float]]) -> Iterator[tuple[str, float]]:
    for key, value in require.items():
        if isinstance(value, Mapping):
            yield from ((f"{key}.{measure}", least) for measure, least in value.items())
        else:
            yield key, value


def check_requirements(requirements: Sequence[Requirement], report: Report) -> None:
    """Compare a report with the numbers that it must reach.

    Raises:
        MetricMissedError: names every number that was missed.
    """
    missed = []
    for system, measure, least in requirements:
        value = report["systems"][system][measure]["value"]
        if value < least:
            missed.append(f"{system}.{measure} is {value:.4f}, required {least:.4f}")
    if missed:
        raise MetricMissedError("; ".join(missed))
