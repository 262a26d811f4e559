"""What to train on, given how many pairs the recurring spans yield."""

from collections.abc import Mapping
from typing import NamedTuple

FEW_PAIRS = 500
TOO_FEW_PAIRS = 50


class PairingChoice(NamedTuple):
    """Which pairings to train on.

    Attributes:
        dense: whether training is worth it at all; if not, BM25 alone serves better.
        weights: share of a batch of each pairing, by its file's name.
        reason: one sentence for the log and the report; empty when there is nothing to say.
    """

    dense: bool
    weights: Mapping[str, float]
    reason: str


def choose_pairings(n_pairs: int) -> PairingChoice:
    """Choose pairings by the number of pairs (training clusters) of the recurring spans."""
    if n_pairs >= FEW_PAIRS:
        return PairingChoice(True, {"recurring_span": 1.0}, "")
    weights = {"recurring_span": 0.5, "independent_crop": 0.4, "title": 0.1}
    if n_pairs >= TOO_FEW_PAIRS:
        return PairingChoice(
            True,
            weights,
            f"the documents yield {n_pairs} recurring-span pairs, fewer than {FEW_PAIRS}: crop and "
            "title pairs are added",
        )
    return PairingChoice(
        False,
        weights,
        f"the documents yield {n_pairs} recurring-span pairs, fewer than {TOO_FEW_PAIRS}: too few "
        "to train an encoder, so BM25 searches alone",
    )
