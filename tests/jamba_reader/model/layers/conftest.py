"""A small shape whose layers are of every kind, and random weights for any module."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from jamba_reader.config import JambaConfig


@pytest.fixture
def config() -> JambaConfig:
    """Layers 1 and 3 have experts, layer 2 has attention; all biases exist."""
    return JambaConfig(
        vocab_size=13, hidden_size=8, intermediate_size=6, num_hidden_layers=4,
        num_attention_heads=4, num_key_value_heads=2, num_experts=4, num_experts_per_tok=2,
        attn_layer_period=4, attn_layer_offset=2, mamba_d_state=3, mamba_dt_rank=2,
        mamba_proj_bias=True, rms_norm_eps=1e-3,
    )  # fmt: skip


@pytest.fixture
def randomised() -> Callable[[nn.Module], nn.Module]:
    """Return a function that draws every weight of a module: ones and zeros hide mistakes."""

    def draw(module: nn.Module) -> nn.Module:
        generator = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for weight in module.parameters():
                weight.copy_(0.6 * torch.randn(weight.shape, generator=generator))
        return module.eval()

    return draw
