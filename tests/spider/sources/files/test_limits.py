"""Limits that contradict each other would refuse what another one permits."""

import pytest

from spider.errors import SettingError
from spider.sources.files.limits import (
    FREE_BYTES,
    INFLATION,
    LARGEST_WINDOW,
    LONGEST_LINE,
    ExtractionLimits,
)


def test_what_no_compression_of_text_reaches_and_every_bomb_does() -> None:
    # gzip reaches 1,032, and the others more
    assert 50 < INFLATION < 1032
    # xz -9 needs a window of 64 MiB
    assert LARGEST_WINDOW > 64 << 20
    # the longest line may come from a compressed file
    assert LONGEST_LINE <= FREE_BYTES


@pytest.mark.parametrize(
    ("key", "value"), [("largest_mib", 0), ("seconds", 0.0), ("memory_mib", 255)]
)
def test_a_limit_that_no_file_can_keep_is_refused(key: str, value: float) -> None:
    with pytest.raises(SettingError, match=key):
        ExtractionLimits(**{key: value})  # type: ignore[arg-type]
    assert ExtractionLimits(seconds=0.5).seconds == 0.5
