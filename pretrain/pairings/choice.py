"""The choice of pairings by the number of pairs that the recurring spans yield."""

from collections.abc import Mapping
from typing import NamedTuple

RECURRING_SPAN = "recurring_span"
FEW_PAIRS = 500
TOO_FEW_PAIRS = 50


class PairingChoice(NamedTuple):
    """The pairings to train on.

    Attributes:
        weights: each pairing's share of a batch, by its file's name.
        reason: one sentence for the log and the report; empty for the usual choice.
    """

    weights: Mapping[str, float]
    reason: str


def choose_pairings(n_pairs: int, *, adapts: bool = False) -> PairingChoice:
    """Choose pairings by the number of pairs (training clusters) of the recurring spans.

    Unlike the paper, whose corpus is large, fewer than ``FEW_PAIRS`` of them are mixed with pairs
    that any document yields. The pipeline decides whether to train at all.

    Args:
        n_pairs: pairs of the recurring spans.
        adapts: whether the training starts from an encoder of texts.
    """
    if n_pairs >= FEW_PAIRS:
        return PairingChoice({RECURRING_SPAN: 1.0}, "")
    bound = FEW_PAIRS if n_pairs >= TOO_FEW_PAIRS else TOO_FEW_PAIRS
    reason = (
        f"the documents yield {n_pairs} recurring-span pairs, fewer than {bound}: crop and title "
        "pairs are added"
    )
    if n_pairs < TOO_FEW_PAIRS and not adapts:
        reason += ", but an encoder trained on this few may rank worse than BM25"
    return PairingChoice({RECURRING_SPAN: 0.5, "independent_crop": 0.4, "title": 0.1}, reason)
