"""Shapes of the released models; their tensors and sizes are tested in checkpoints/test_names."""

import pytest

from jamba_reader.config import JambaConfig
from jamba_reader.presets import jamba_3b, jamba_large, jamba_mini

RELEASED = [
    (jamba_mini(), [4, 12, 20, 28], 16, [2, 518]),
    (jamba_large(), [4, 12, 20, 28, 36, 44, 52, 60, 68], 36, [2, 518]),
    (jamba_3b(), [7, 21], 0, [2, 519]),
]


@pytest.mark.parametrize(("config", "attention", "routed", "ends"), RELEASED)
def test_the_schedule_of_layers(
    config: JambaConfig, attention: list[int], routed: int, ends: list[int]
) -> None:
    assert [i for i, mixer in enumerate(config.mixers) if mixer == "attention"] == attention
    assert sum(config.routed) == routed
    assert config.head_dim == 128
    assert config.mamba_dt_rank * 16 == config.hidden_size
    assert list(config.eos_token_ids) == ends


@pytest.mark.parametrize("preset", [jamba_mini, jamba_large, jamba_3b])
def test_changes_win(preset: type[JambaConfig]) -> None:
    assert preset(hidden_size=1280, num_attention_heads=10, num_key_value_heads=1) == JambaConfig(
        **{
            **{k: v for k, v in vars(preset()).items() if k in JambaConfig.__dataclass_fields__},
            "hidden_size": 1280,
            "num_attention_heads": 10,
            "num_key_value_heads": 1,
            "mamba_dt_rank": 80,
        }
    )
