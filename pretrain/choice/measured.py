"""What an earlier choice has measured on this machine, so that a start is not measured twice."""

import platform

from spider.artifacts.artifact import Artifact
from spider.artifacts.records.choice import ChoiceRecord


def measured_before(choice: Artifact | None, start: str) -> float | None:
    """Return the seconds a passage that a choice measured; None if it is about another start.

    Args:
        choice: the choice that is replaced; None without one.
        start: the published encoder.
    """
    if choice is None or ChoiceRecord.from_manifest(choice).start != start:
        return None
    volatile = choice.manifest["volatile"]
    here = (volatile.get("host"), volatile.get("processor"))
    if here[0] != platform.node() or choice.counts["passages"] < ENOUGH_PASSAGES:
        return None
    seconds = volatile.get("estimate", {}).get("seconds_a_passage")
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else None


ENOUGH_PASSAGES = 48
"""Fewer fill no batch, so each costs more than it would beside others."""
