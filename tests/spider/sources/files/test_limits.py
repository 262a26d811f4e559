"""Limits that contradict each other would refuse what another one permits."""

from spider.sources.files.limits import FREE_BYTES, INFLATION, LARGEST_WINDOW, LONGEST_LINE


def test_what_no_compression_of_text_reaches_and_every_bomb_does() -> None:
    # gzip reaches 1,032, and the others more
    assert 50 < INFLATION < 1032
    # xz -9 needs a window of 64 MiB
    assert LARGEST_WINDOW > 64 << 20
    # the longest line may come from a compressed file
    assert LONGEST_LINE <= FREE_BYTES
