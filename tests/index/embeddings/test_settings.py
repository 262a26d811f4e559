"""Settings of embedding out of range are refused with their names."""

import pytest

from index.embeddings.settings import EmbeddingSettings
from spider.errors import ConfigError


@pytest.mark.parametrize("name", ["shard_size", "processes"])
def test_sizes_below_one_are_refused(name: str) -> None:
    assert getattr(EmbeddingSettings(**{name: 1}), name) == 1
    with pytest.raises(ConfigError, match=rf"{name}: got 0, expected at least 1"):
        EmbeddingSettings(**{name: 0})
