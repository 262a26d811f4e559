"""Kinds of parameters by their names."""

import pytest

from jamba_reader.config import JambaConfig
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.model.parameter_kinds import ParameterKind, kind_of

LAYER = "model.layers.0"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("model.embed_tokens.weight", ParameterKind.EMBEDDING),
        ("lm_head.weight", ParameterKind.MATRIX),
        ("model.final_layernorm.weight", ParameterKind.NORM),
        (f"{LAYER}.mamba.A_log", ParameterKind.DECAY),
        (f"{LAYER}.mamba.D", ParameterKind.SKIP),
        (f"{LAYER}.mamba.dt_proj.bias", ParameterKind.BIAS),
        (f"{LAYER}.mamba.dt_proj.weight", ParameterKind.MATRIX),
        (f"{LAYER}.mamba.dt_layernorm.weight", ParameterKind.NORM),
        (f"{LAYER}.mamba.conv1d.weight", ParameterKind.MATRIX),
        (f"{LAYER}.feed_forward.router.weight", ParameterKind.MATRIX),
        (f"{LAYER}.feed_forward.experts.gate_up_proj", ParameterKind.MATRIX),
        # the model within a training objective
        (f"model.{LAYER}.mamba.A_log", ParameterKind.DECAY),
    ],
)
def test_kind_of(name: str, kind: ParameterKind) -> None:
    assert kind_of(name) is kind


def test_only_norms_biases_and_skips_of_a_model_are_vectors() -> None:
    config = JambaConfig(
        vocab_size=9, hidden_size=8, intermediate_size=6, num_hidden_layers=4,
        num_attention_heads=2, num_key_value_heads=1, num_experts=2, attn_layer_period=4,
        attn_layer_offset=2, mamba_d_state=3, mamba_proj_bias=True,
    )  # fmt: skip
    vectors = {ParameterKind.NORM, ParameterKind.BIAS, ParameterKind.SKIP}
    found = dict(JambaLanguageModel(config).named_parameters())
    for name, weight in found.items():
        assert (weight.ndim == 1) is (kind_of(name) in vectors), name
    assert {kind_of(name) for name in found} == set(ParameterKind)
