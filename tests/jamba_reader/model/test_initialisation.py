import math

import pytest
import torch
from torch.nn.functional import softplus

from jamba_reader.config import JambaConfig
from jamba_reader.model.initialisation import initialise, inverse_softplus
from jamba_reader.model.model import JambaLanguageModel


def small_model(**changes: object) -> JambaLanguageModel:
    shape: dict[str, object] = {
        "vocab_size": 96,
        "hidden_size": 64,
        "intermediate_size": 48,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_experts": 4,
        "attn_layer_period": 4,
        "attn_layer_offset": 2,
        "mamba_d_state": 8,
        "mamba_dt_rank": 4,
    }
    return JambaLanguageModel(JambaConfig(**{**shape, **changes}))  # type: ignore[arg-type]


def test_distributions_are_those_of_transformers() -> None:
    model = small_model(initializer_range=0.05)
    initialise(model, torch.Generator().manual_seed(0), mamba_time_steps=False)
    weights = model.state_dict()
    for name in (
        "model.embed_tokens.weight",
        "lm_head.weight",
        "model.layers.0.mamba.in_proj.weight",
        "model.layers.0.mamba.conv1d.weight",
        "model.layers.0.mamba.dt_proj.weight",
        "model.layers.1.feed_forward.experts.gate_up_proj",
        "model.layers.1.feed_forward.router.weight",
        "model.layers.2.self_attn.q_proj.weight",
    ):
        rows = weights[name][1:]  # the padding token's embedding is zero
        assert rows.mean().item() == pytest.approx(0.0, abs=4 * 0.05 / rows.numel() ** 0.5), name
        assert rows.std().item() == pytest.approx(0.05, rel=0.25), name
    assert not weights["model.embed_tokens.weight"][0].any()
    assert not weights["model.layers.0.mamba.dt_proj.bias"].any()
    assert not weights["model.layers.0.mamba.conv1d.bias"].any()
    assert weights["model.layers.0.mamba.D"].eq(1.0).all()
    assert weights["model.layers.3.input_layernorm.weight"].eq(1.0).all()
    assert weights["model.layers.0.mamba.dt_layernorm.weight"].eq(1.0).all()
    expected = torch.arange(1.0, 9.0).expand(128, 8)
    torch.testing.assert_close(weights["model.layers.0.mamba.A_log"].exp(), expected)


def test_time_steps_are_log_uniform() -> None:
    model = small_model()
    initialise(model, torch.Generator().manual_seed(0))
    biases = torch.cat([b for n, b in model.named_parameters() if n.endswith("dt_proj.bias")])
    steps = softplus(biases.detach())
    assert 1e-3 * 0.999 <= steps.min().item() < 2e-3
    assert 0.05 < steps.max().item() <= 0.1 * 1.001
    # the middle of log-uniform is the geometric mean
    assert steps.median().item() == pytest.approx(1e-2, rel=0.4)
    weight = model.state_dict()["model.layers.0.mamba.dt_proj.weight"]
    assert weight.abs().max().item() <= 4**-0.5
    assert weight.std().item() == pytest.approx(4**-0.5 / math.sqrt(3.0), rel=0.1)


def test_one_seed_one_model() -> None:
    first, second, other = small_model(), small_model(), small_model()
    initialise(first, torch.Generator().manual_seed(5))
    initialise(second, torch.Generator().manual_seed(5))
    initialise(other, torch.Generator().manual_seed(6))
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, second.state_dict()[name]), name
    assert not torch.equal(first.lm_head.weight, other.lm_head.weight)


def test_inverse_softplus() -> None:
    values = torch.tensor([1e-6, 1e-3, 0.1, 3.0, 40.0])
    torch.testing.assert_close(softplus(inverse_softplus(values)), values, rtol=1e-5, atol=0.0)
