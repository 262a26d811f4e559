"""Empty states of layers, and which models and caches they fit."""

import dataclasses

import pytest
import torch

from jamba_reader.cache.layers import empty_layers, fit, kind_of
from jamba_reader.config import JambaConfig

CONFIG = JambaConfig(
    vocab_size=64, hidden_size=8, intermediate_size=8, num_hidden_layers=3, num_attention_heads=4,
    num_key_value_heads=2, attn_layer_period=3, attn_layer_offset=1, mamba_d_state=5,
    mamba_d_conv=4, mamba_dt_rank=2, num_experts=1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("dtype", "state_dtype"),
    [(torch.bfloat16, torch.float32), (torch.float64, torch.float64)],
)
def test_shapes_and_types_by_hand(dtype: torch.dtype, state_dtype: torch.dtype) -> None:
    mamba, memories = empty_layers(CONFIG, 6, dtype, "cpu", 9)
    assert (list(mamba), list(memories)) == ([0, 2], [1])
    for layer in mamba.values():
        assert (layer.state.shape, layer.state.dtype) == ((6, 16, 5), state_dtype)
        assert (layer.history.shape, layer.history.dtype) == ((6, 3, 16), dtype)
        assert not layer.state.any()
        assert not layer.history.any()
    assert memories[1].keys.shape == memories[1].values.shape == (6, 2, 9, 2)
    assert memories[1].keys.dtype == dtype
    assert memories[1].lengths == [0] * 6


@pytest.mark.parametrize(
    ("changes", "fits"),
    [
        ({}, True),
        ({"vocab_size": 99, "intermediate_size": 12}, True),
        ({"mamba_d_state": 4}, False),
        ({"mamba_d_conv": 3}, False),
        ({"mamba_expand": 3}, False),
        ({"num_key_value_heads": 4}, False),
        ({"num_attention_heads": 2}, False),
        ({"attn_layer_offset": 2}, False),
        ({"num_hidden_layers": 4}, False),
        ({"num_hidden_layers": 2}, False),
    ],
)
def test_models_that_fit(changes: dict[str, int], fits: bool) -> None:
    states = empty_layers(CONFIG, 2, torch.float32, "cpu", 0)
    assert fit(*states, dataclasses.replace(CONFIG, **changes), 2) is fits
    assert not fit(*states, CONFIG, 3)


def test_caches_that_go_together() -> None:
    def kind(
        config: JambaConfig = CONFIG, sequences: int = 1, reserved: int = 0, **place: str
    ) -> object:
        dtype = getattr(torch, place.get("dtype", "float32"))
        return kind_of(
            *empty_layers(config, sequences, dtype, place.get("device", "cpu"), reserved)
        )

    assert kind() == kind(sequences=4, reserved=7)
    other = dataclasses.replace(CONFIG, mamba_d_state=4)
    for different in (kind(other), kind(dtype="float64"), kind(device="meta")):
        assert different != kind()
