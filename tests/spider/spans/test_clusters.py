import numpy as np

from spider.spans.clusters import Clusters, Occurrences, join_clusters


def clusters(first: int, *sizes: int) -> Clusters:
    places = np.arange(first, first + sum(sizes))
    return Clusters(
        np.full(len(sizes), first, dtype=np.uint8),
        np.array(sizes, dtype=np.int64),
        Occurrences(places, places.astype(np.int32), places.astype(np.int32) + 1),
    )


def test_parts_are_joined_in_order() -> None:
    joined = join_clusters([clusters(3, 2, 2), clusters(9, 3)])
    assert joined.words.tolist() == [3, 3, 9]
    assert joined.sizes.tolist() == [2, 2, 3]
    assert joined.occurrences.positions.tolist() == [3, 4, 5, 6, 9, 10, 11]
    assert joined.occurrences.ends.tolist() == [4, 5, 6, 7, 10, 11, 12]


def test_no_parts_are_no_clusters() -> None:
    nothing = join_clusters([])
    assert len(nothing.words) == len(nothing.sizes) == len(nothing.occurrences.starts) == 0
    assert nothing.words.dtype == np.uint8
