import pytest
import torch
from torch import nn

from jamba_reader.config import JambaConfig
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.training.parameter_groups import make_adamw, parameter_groups


@pytest.mark.parametrize("tied", [False, True])
def test_who_decays(tied: bool) -> None:
    model = JambaLanguageModel(
        JambaConfig(
            vocab_size=8,
            hidden_size=8,
            intermediate_size=4,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            num_experts=2,
            attn_layer_period=2,
            attn_layer_offset=1,
            mamba_dt_rank=2,
            mamba_proj_bias=True,
            tie_word_embeddings=tied,
        )
    )
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    decaying, exempt = parameter_groups(model, learning_rate=0.1, weight_decay=0.2)
    assert (decaying["weight_decay"], exempt["weight_decay"]) == (0.2, 0.0)
    mamba, attention = "model.layers.0.", "model.layers.1."
    assert {names[id(parameter)] for parameter in exempt["params"]} == {
        "model.embed_tokens.weight",
        "model.final_layernorm.weight",
        *(
            f"{layer}{norm}_layernorm.weight"
            for layer in (mamba, attention)
            for norm in ("pre_ff",)
        ),
        *(f"{layer}input_layernorm.weight" for layer in (mamba, attention)),
        *(f"{mamba}mamba.{norm}_layernorm.weight" for norm in ("dt", "b", "c")),
        *(f"{mamba}mamba.{name}" for name in ("A_log", "D")),
        *(f"{mamba}mamba.{name}.bias" for name in ("in_proj", "out_proj", "conv1d", "dt_proj")),
    }
    kept = {names[id(parameter)] for parameter in decaying["params"]}
    assert len(kept) + len(exempt["params"]) == len(names)
    assert ("lm_head.weight" in kept) is not tied
    assert {f"{mamba}mamba.conv1d.weight", f"{attention}feed_forward.router.weight"} <= kept


def test_frozen_parameters_are_left_out() -> None:
    layer = nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    optimizer = make_adamw(layer, learning_rate=0.1, weight_decay=0.1, beta2=0.95)
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 0]


def test_a_step_is_seen_by_what_was_computed_from_the_weights_before() -> None:
    layer = nn.Linear(2, 2)
    optimizer = make_adamw(layer, learning_rate=0.1, weight_decay=0.1, beta2=0.95)
    before = layer.weight._version
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    assert layer.weight._version > before
