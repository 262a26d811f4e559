"""Sizes of the released models' caches, as published and as allocated (meta device)."""

import pytest
import torch

from jamba_reader.cache.cache import Cache
from jamba_reader.cache.size import history_bytes, key_value_bytes, state_bytes
from jamba_reader.config import JambaConfig
from jamba_reader.presets import jamba_3b, jamba_large, jamba_mini

MIB, GIB, LONGEST = 2**20, 2**30, 262_144


@pytest.mark.parametrize(
    ("config", "per_token", "longest", "state", "history"),
    [
        (jamba_mini(), 16_384, 4.0, 14.0, 1.3125),
        (jamba_large(), 36_864, 9.0, 63.0, 5.90625),
        (jamba_3b(), 1_024, 0.25, 8.125, 0.76171875),
    ],
    ids=["Mini", "Large", "3B"],
)
def test_released_models(
    config: JambaConfig, per_token: int, longest: float, state: float, history: float
) -> None:
    assert key_value_bytes(config, 1) == per_token
    assert key_value_bytes(config, LONGEST) == longest * GIB
    assert state_bytes(config) == state * MIB
    assert history_bytes(config) == history * MIB
    allocated = Cache.empty(config, 2, dtype=torch.bfloat16, device="meta", capacity=LONGEST)
    computed = key_value_bytes(config, 2 * LONGEST) + state_bytes(config, 2)
    assert allocated.nbytes() == computed + history_bytes(config, 2)


def test_other_types() -> None:
    config = jamba_3b()
    cache = Cache.empty(config, 3, dtype=torch.float32, device="meta", capacity=7)
    computed = key_value_bytes(config, 21, 4) + state_bytes(config, 3)
    assert cache.nbytes() == computed + history_bytes(config, 3, 4)
