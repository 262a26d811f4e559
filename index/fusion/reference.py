"""Readable references of the fusions, over dictionaries; tests compare the fast ones with them."""

from collections.abc import Mapping

Ranked = list[tuple[int, float]]


def weighted_sum_reference(
    rankings: Mapping[str, Mapping[int, float]], weights: Mapping[str, float]
) -> Ranked:
    """Fuse the scores of one question by position; best first, ties by position."""
    fused: dict[int, float] = {}
    for position in {position for scores in rankings.values() for position in scores}:
        fused[position] = sum(
            weights[name] * scores.get(position, min(scores.values(), default=0.0))
            for name, scores in rankings.items()
        )
    return sorted(fused.items(), key=lambda hit: (-hit[1], hit[0]))


def reciprocal_rank_reference(
    rankings: Mapping[str, Mapping[int, float]], *, constant: float
) -> Ranked:
    """Fuse the rankings of one question; best first, ties by position."""
    fused: dict[int, float] = {}
    for scores in rankings.values():
        ranking = sorted(scores, key=lambda position: (-scores[position], position))
        for rank, position in enumerate(ranking, start=1):
            fused[position] = fused.get(position, 0.0) + 1 / (constant + rank)
    return sorted(fused.items(), key=lambda hit: (-hit[1], hit[0]))
