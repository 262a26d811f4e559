"""A model small enough to look into, with every kind of layer."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from jamba_reader.config import JambaConfig
from jamba_reader.model.initialisation import initialise
from jamba_reader.model.model import JambaLanguageModel


@pytest.fixture
def make_model() -> Callable[..., JambaLanguageModel]:
    """Return a function that makes a model; keywords change its configuration."""

    def make(dtype: torch.dtype = torch.float32, **changes: Any) -> JambaLanguageModel:
        shape = {
            "vocab_size": 23,
            "hidden_size": 16,
            "intermediate_size": 12,
            "num_hidden_layers": 4,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "num_experts": 4,
            "attn_layer_period": 4,
            "attn_layer_offset": 2,
            "mamba_d_state": 4,
            "mamba_dt_rank": 2,
        }
        model = JambaLanguageModel(JambaConfig(**{**shape, **changes}), dtype=dtype)
        initialise(model, torch.Generator().manual_seed(0))
        return model.eval()

    return make


@pytest.fixture
def model(make_model: Callable[..., JambaLanguageModel]) -> JambaLanguageModel:
    return make_model()
