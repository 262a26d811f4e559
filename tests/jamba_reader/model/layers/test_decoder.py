"""A decoder layer against the two residual additions that define it."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from jamba_reader.cache.mamba_state import MambaState
from jamba_reader.config import JambaConfig
from jamba_reader.model.layers.attention import Attention
from jamba_reader.model.layers.decoder import DecoderLayer
from jamba_reader.model.layers.feed_forward import DenseFeedForward, MixtureOfExperts
from jamba_reader.model.layers.mamba import MambaMixer
from jamba_reader.ops.segments import Segments

KINDS = [
    (0, MambaMixer, DenseFeedForward),
    (1, MambaMixer, MixtureOfExperts),
    (2, Attention, DenseFeedForward),
    (3, MambaMixer, MixtureOfExperts),
]


@pytest.mark.parametrize(("index", "mixer", "feed_forward"), KINDS)
@torch.no_grad()
def test_a_layer_adds_its_mixer_and_then_its_feed_forward_part(
    config: JambaConfig,
    randomised: Callable[[nn.Module], nn.Module],
    index: int,
    mixer: type[nn.Module],
    feed_forward: type[nn.Module],
) -> None:
    layer, segments = randomised(DecoderLayer(config, index)), Segments([4, 2])
    parts = dict(layer.named_children())
    mix = parts["self_attn" if mixer is Attention else "mamba"]
    assert type(mix) is mixer
    assert type(layer.feed_forward) is feed_forward
    stream, branch = torch.randn(2, 6, 8)
    x = stream + branch
    x = x + mix(layer.input_layernorm(x), segments, None)[0]
    added, logits = layer.feed_forward(layer.pre_ff_layernorm(x))
    output = layer(stream, branch, segments, None)
    torch.testing.assert_close(output.stream + output.branch, x + added, rtol=1e-4, atol=1e-5)
    if feed_forward is MixtureOfExperts:
        torch.testing.assert_close(output.router_logits, logits, rtol=1e-4, atol=1e-5)
    else:
        assert output.router_logits is None
    assert isinstance(output.state, MambaState) is (mixer is MambaMixer)
    # the first layer has no branch before it
    first = layer(x, None, segments, None)
    again = layer(x - branch, branch, segments, None)
    torch.testing.assert_close(first.stream, again.stream, rtol=1e-4, atol=1e-5)
