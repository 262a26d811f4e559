"""The backbone against its layers in a row; gradient checkpointing changes no gradient."""

from collections.abc import Callable

import torch
from torch import nn

from jamba_reader.cache.cache import Cache
from jamba_reader.config import JambaConfig
from jamba_reader.model.layers.backbone import Backbone
from jamba_reader.ops.segments import Segments

TOKENS = torch.tensor([3, 1, 4, 1, 5, 9])


@torch.no_grad()
def test_it_is_embedding_layers_and_norm(
    config: JambaConfig, randomised: Callable[[nn.Module], nn.Module]
) -> None:
    backbone, segments = randomised(Backbone(config)), Segments([4, 2])
    x = backbone.embed_tokens.weight[TOKENS]
    for layer in backbone.layers:
        output = layer(x, None, segments, None)
        x = output.stream + output.branch
    hidden, routers = backbone(TOKENS, segments, None)
    torch.testing.assert_close(hidden, backbone.final_layernorm(x), rtol=1e-4, atol=1e-4)
    assert [tuple(logits.shape) for logits in routers] == [(6, 4), (6, 4)]


@torch.no_grad()
def test_the_cache_carries_every_layer_from_call_to_call(
    config: JambaConfig, randomised: Callable[[nn.Module], nn.Module]
) -> None:
    backbone = randomised(Backbone(config))
    whole, _ = backbone(TOKENS, Segments([6]), None)
    cache = Cache.empty(config, 1, dtype=torch.float32)
    early, _ = backbone(TOKENS[:4], Segments([4]), cache)
    assert cache.lengths == [4]
    late, _ = backbone(TOKENS[4:], Segments([2]), cache)
    assert cache.lengths == [6]
    torch.testing.assert_close(torch.cat([early, late]), whole, rtol=1e-4, atol=1e-4)


def test_gradient_checkpointing_recomputes_each_layer(
    config: JambaConfig, randomised: Callable[[nn.Module], nn.Module]
) -> None:
    backbone = randomised(Backbone(config)).train()
    calls: list[int] = []
    backbone.layers[1].register_forward_pre_hook(lambda *_: calls.append(1))
    gradients = []
    for checkpointed in (False, True):
        backbone.gradient_checkpointing = checkpointed
        backbone.zero_grad()
        hidden, _ = backbone(TOKENS, Segments([6]), None)
        hidden.square().sum().backward()
        gradients.append([weight.grad.clone() for weight in backbone.parameters()])
    assert len(calls) == 3
    for plain, recomputed in zip(*gradients, strict=True):
        torch.testing.assert_close(recomputed, plain)
