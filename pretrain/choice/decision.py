"""Decides which encoder a pipeline begins with, by what is installed and what it would cost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from pretrain.pairings.choice import TOO_FEW_PAIRS
from spider.artifacts.records.choice import Architecture, ChoiceRecord
from spider.encoders.start.names import AUTO, STATIC
from spider.encoders.start.wheel import OWNER
from spider.errors import ConfigError
from spider.printable import counted

FEW_MINUTES = 4.0
"""The longest time for embedding with a transformer where a person gives none."""
FEWEST_TAUGHT = 500
"""A student is fitted to a sample of at least this many passages."""
ADAPTATION = 12_000
"""An adaptation of 70 updates takes the time of encoding this many passages (120 s at 100/s)."""
INSTALL = "pip install 'spider-odqa[pretrained]'"


@dataclass(frozen=True, kw_only=True)
class Folder:
    """What is known of the documents.

    Attributes:
        passages: how many there are.
        pairs: pairs of recurring spans for training.
    """

    passages: int
    pairs: int


class Decision(NamedTuple):
    """A choice, and the estimates behind it.

    Attributes:
        record: the choice.
        estimate: what was measured and computed; empty where no transformer was considered.
    """

    record: ChoiceRecord
    estimate: dict[str, Any]


def decide(
    start: str,
    folder: Folder,
    *,
    installed: str | None,
    minutes: float | None,
    seconds_a_passage: Callable[[str], float],
) -> Decision:
    """Choose an encoder.

    Args:
        start: ``auto``; ``static`` for an encoder from scratch; or the encoder that a person named.
        folder: what is known of the documents.
        installed: the published encoder that the extra ``pretrained`` brought; None without it.
        minutes: the longest time for embedding with a transformer; None takes 4.
        seconds_a_passage: measures a start on this machine.

    Raises:
        ConfigError: the named encoder is too large for the time or the memory.
    """
    if start == STATIC:
        return _from_scratch(folder, "start=static was given")
    name = installed if start == AUTO else start
    if name is None:
        return _from_scratch(folder, f"no pretrained encoder is installed ({INSTALL} brings one)")
    try:
        seconds = seconds_a_passage(name)
    except ConfigError as error:
        # too large for the memory; a person who named it is told so
        if start != AUTO:
            raise
        return _from_scratch(folder, str(error))
    found = _with_transformer(name, folder, minutes=minutes, seconds=seconds)
    if found is None:
        said = (
            f"{shown(name)} encodes {1 / seconds:.2g} passages a second here, too few for a sample "
            f"of {counted(FEWEST_TAUGHT, 'passage')} in {_minutes(minutes):g} minutes"
        )
        if start == AUTO:
            return _from_scratch(folder, said)
        raise ConfigError(
            f"{said}; minutes=N gives it more time, or start from a smaller encoder, or start=auto"
        )
    return found


def shown(start: str) -> str:
    """Return a start's name for people: without the owner of the well-known ones."""
    return start.removeprefix(f"{OWNER}/")


def _with_transformer(
    name: str, folder: Folder, *, minutes: float | None, seconds: float
) -> Decision | None:
    """Choose the transformer or its student; None if even a student takes too long."""
    allowed = 60 * _minutes(minutes)
    embedding = seconds * folder.passages
    if min(folder.passages, FEWEST_TAUGHT) * seconds > allowed:
        return None
    architecture: Architecture = "bert" if embedding <= allowed else "student"
    few = folder.pairs < TOO_FEW_PAIRS
    # a budget in minutes decides the number of updates; without one they follow from the pairs
    adapts = not few and (minutes is not None or seconds * ADAPTATION <= 3 * allowed)
    phrases = counted(folder.pairs, "repeated phrase")
    if adapts:
        used = f", adapted to {phrases}"
    elif few:
        used = f" as it is, since {phrases} are too few to adapt it"
    else:
        used = " as it is, since adapting it would take too long"
    passages = counted(folder.passages, "passage")
    if architecture == "bert":
        reason = f"{shown(name)}{used}; {passages} take it about {_duration(embedding)} here"
    else:
        reason = (
            f"a student of {shown(name)}{used}; {passages} would take the transformer itself about "
            f"{_duration(embedding)} here, and {_duration(allowed)} are allowed (minutes=N)"
        )
    record = ChoiceRecord(architecture=architecture, start=name, adapts=adapts, reason=reason)
    estimate = {
        "seconds_a_passage": round(seconds, 6),
        "embedding_seconds": round(embedding, 1),
        "allowed_seconds": allowed,
        "adaptation_seconds": round(seconds * ADAPTATION, 1) if adapts else 0.0,
    }
    return Decision(record, estimate)


def _from_scratch(folder: Folder, why: str) -> Decision:
    phrases = counted(folder.pairs, "repeated phrase")
    if folder.pairs < TOO_FEW_PAIRS:
        reason = f"none, since {phrases} are too few to train one, and {why}"
        record = ChoiceRecord(architecture="words", start="", adapts=False, reason=reason)
    else:
        reason = f"trained from scratch on {phrases}, since {why}"
        record = ChoiceRecord(architecture="static", start="", adapts=False, reason=reason)
    return Decision(record, {})


def _minutes(minutes: float | None) -> float:
    return FEW_MINUTES if minutes is None else minutes


def _duration(seconds: float) -> str:
    if seconds < 120:
        return counted(max(1, round(seconds)), "second")
    if seconds < 7200:
        return counted(round(seconds / 60), "minute")
    return counted(round(seconds / 3600), "hour")
