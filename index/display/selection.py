"""The passages that are shown for a question: not too many of one document."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from spider.ranking import RankedPassage

#: how much deeper each further search is
DEEPER = 4


def select(
    search: Callable[[int], Sequence[RankedPassage]], *, k: int, per_document: int
) -> tuple[list[RankedPassage], int]:
    """Return the best ``k`` passages, with at most some of each document, and how many it left out.

    Where the other documents have too few, the best of those that were left out fill the list.

    Args:
        search: returns the ranking to a depth.
        k: passages.
        per_document: passages of one document; 0 is no limit.
    """
    depth = k
    while True:
        ranked = list(search(depth))
        kept, passed = _limited(ranked, per_document)
        if len(kept) >= k or len(ranked) < depth or not per_document:
            break
        depth *= DEEPER
    kept = kept[:k]
    if len(kept) < k:
        kept = sorted([*kept, *passed[: k - len(kept)]], key=lambda hit: hit.rank)
    last = kept[-1].rank if kept else 0
    left_out = last - len(kept)
    return [replace(hit, rank=place) for place, hit in enumerate(kept, start=1)], left_out


def _limited(
    ranked: Sequence[RankedPassage], per_document: int
) -> tuple[list[RankedPassage], list[RankedPassage]]:
    seen: Counter[str] = Counter()
    kept: list[RankedPassage] = []
    passed: list[RankedPassage] = []
    for hit in ranked:
        seen[hit.source] += 1
        within = not per_document or seen[hit.source] <= per_document
        (kept if within else passed).append(hit)
    return kept, passed
