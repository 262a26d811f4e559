"""One small model in two libraries, without gradients."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
import torch
from transformers import JambaForCausalLM

from benchmarks.jamba.models import our_model, transformers_model
from jamba_reader.model.model import JambaLanguageModel

#: every kind of layer: Mamba and attention, dense and routed, with all biases
SMALL = {
    "vocab_size": 61,
    "hidden_size": 32,
    "intermediate_size": 37,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "attn_layer_period": 3,
    "attn_layer_offset": 1,
    "mamba_d_state": 8,
    "mamba_dt_rank": 5,
    "mamba_proj_bias": True,
}


class ModelPair(NamedTuple):
    """Both libraries' models with the same weights."""

    theirs: JambaForCausalLM
    ours: JambaLanguageModel


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture(scope="session")
def small_shape() -> dict[str, int | bool]:
    return dict(SMALL)


@pytest.fixture(scope="session")
def models() -> ModelPair:
    theirs = transformers_model(SMALL, seed=3)
    return ModelPair(theirs, our_model(theirs))


@pytest.fixture(scope="session")
def model(models: ModelPair) -> JambaLanguageModel:
    return models.ours
