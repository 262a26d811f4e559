"""How much deeper lists are fetched from which passages are dropped."""

from index.engines.exclusion import most_excluded


def test_the_longest_exclusion_counts() -> None:
    assert most_excluded([[3, 9], [], [5]]) == 2
    assert most_excluded([]) == 0
