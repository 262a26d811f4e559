"""The fusions as a person would write them down, with dictionaries: the fast ones must agree."""

Ranked = list[tuple[int, float]]


def weighted_sum_reference(
    dense: dict[int, float], sparse: dict[int, float], *, weight: float
) -> Ranked:
    """Fuse one question's scores by position; best first, ties by position."""
    dense_minimum = min(dense.values(), default=0.0)
    sparse_minimum = min(sparse.values(), default=0.0)
    fused = {
        position: weight * dense.get(position, dense_minimum) + sparse.get(position, sparse_minimum)
        for position in dense.keys() | sparse.keys()
    }
    return sorted(fused.items(), key=lambda hit: (-hit[1], hit[0]))


def reciprocal_rank_reference(
    dense: dict[int, float], sparse: dict[int, float], *, constant: float
) -> Ranked:
    """Fuse one question's rankings; best first, ties by position."""
    fused: dict[int, float] = {}
    for scores in (dense, sparse):
        ranking = sorted(scores, key=lambda position: (-scores[position], position))
        for rank, position in enumerate(ranking, start=1):
            fused[position] = fused.get(position, 0.0) + 1 / (constant + rank)
    return sorted(fused.items(), key=lambda hit: (-hit[1], hit[0]))
