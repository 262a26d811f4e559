"""Every key of config.json: read, checked, written back; transformers accepts what is written."""

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jamba_reader.config import JambaConfig
from jamba_reader.presets import jamba_3b, jamba_large, jamba_mini
from spider.errors import CheckpointError, ConfigError

SMALL = {"hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2}


def mapping(**changes: Any) -> dict[str, Any]:
    return {"model_type": "jamba", **SMALL, **changes}


def test_schedule_of_the_released_models() -> None:
    mini, large, small = jamba_mini(), jamba_large(), jamba_3b()
    attention = [[i for i, m in enumerate(c.mixers) if m == "attention"] for c in (mini, small)]
    assert attention == [[4, 12, 20, 28], [7, 21]]
    assert large.mixers.count("attention") == 9
    assert [i for i, routed in enumerate(mini.routed) if routed] == list(range(1, 32, 2))
    assert large.routed.count(True) == 36
    assert not any(small.routed)
    assert (mini.head_dim, mini.inner_size, mini.mamba_dt_rank) == (128, 8192, 256)
    assert (large.head_dim, large.mamba_dt_rank, small.mamba_dt_rank) == (128, 512, 160)


def test_a_model_may_be_all_attention_or_all_mamba() -> None:
    every = JambaConfig(**SMALL, attn_layer_period=1, attn_layer_offset=0)
    assert set(every.mixers) == {"attention"}
    none = JambaConfig(**SMALL, num_hidden_layers=4, attn_layer_period=8, attn_layer_offset=4)
    assert set(none.mixers) == {"mamba"}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, 2),
        ({"mamba_dt_rank": "auto"}, 2),
        ({"mamba_dt_rank": None}, 2),
        ({"mamba_dt_rank": 5}, 5),
        ({"hidden_size": 36, "mamba_dt_rank": "auto"}, 3),
    ],
)
def test_rank_of_dt(written: dict[str, Any], expected: int) -> None:
    assert JambaConfig.from_mapping(mapping(**written)).mamba_dt_rank == expected


@pytest.mark.parametrize(
    ("written", "ids"), [(2, (2,)), ([2, 518], (2, 518)), (None, ()), ([7], (7,))]
)
def test_ends_of_text(written: Any, ids: tuple[int, ...]) -> None:
    config = JambaConfig.from_mapping(mapping(eos_token_id=written))
    assert config.eos_token_ids == ids
    assert JambaConfig.from_mapping(config.to_mapping()) == config


def test_key_value_heads_default_to_heads() -> None:
    assert JambaConfig.from_mapping(mapping(num_key_value_heads=None)).num_key_value_heads == 4


def test_alias_of_the_number_of_experts() -> None:
    assert JambaConfig.from_mapping(mapping(num_local_experts=4)).num_experts == 4
    both = mapping(num_local_experts=4, num_experts=4)
    assert JambaConfig.from_mapping(both).num_experts == 4
    with pytest.raises(CheckpointError, match="num_local_experts is 4 and num_experts is 8"):
        JambaConfig.from_mapping(mapping(num_local_experts=4, num_experts=8))


def test_legacy_and_unknown_keys_are_kept() -> None:
    legacy = {
        "auto_map": {"AutoConfig": "configuration_jamba.JambaConfig"},
        "calc_logits_for_entire_prompt": False,
        "n_ctx": 262144,
        "mamba_inner_layernorms": True,
        "num_logits_to_keep": 1,
        "sliding_window": None,
        "torch_dtype": "bfloat16",
        "use_mamba_kernels": True,
        "of_next_year": [1, {"a": None}],
    }
    config = JambaConfig.from_mapping(mapping(**legacy))
    written = config.to_mapping()
    assert {name: written[name] for name in legacy} == legacy
    assert config.stored_dtype == "bfloat16"
    assert JambaConfig.from_mapping(written) == config


@pytest.mark.parametrize("preset", [jamba_mini, jamba_large, jamba_3b])
def test_transformers_reads_what_is_written_and_we_read_what_it_writes(preset: Any) -> None:
    from transformers import JambaConfig as TransformersConfig

    config = preset()
    theirs = TransformersConfig(**config.to_mapping())
    for field in dataclasses.fields(config):
        if field.name not in ("unknown", "eos_token_ids"):
            assert getattr(theirs, field.name) == getattr(config, field.name), field.name
    blocks = tuple(theirs.layers_block_type)
    assert blocks == config.mixers
    assert tuple(n > 1 for n in theirs.layers_num_experts) == config.routed
    back = JambaConfig.from_mapping(theirs.to_dict())
    assert dataclasses.replace(back, unknown={}) == config


@given(
    layers=st.integers(1, 20),
    attention=st.integers(1, 9).flatmap(lambda p: st.tuples(st.just(p), st.integers(0, p - 1))),
    expert=st.integers(1, 9).flatmap(lambda p: st.tuples(st.just(p), st.integers(0, p - 1))),
    experts=st.sampled_from([1, 2, 16]),
)
def test_any_schedule_survives_the_file(
    layers: int, attention: tuple[int, int], expert: tuple[int, int], experts: int
) -> None:
    config = JambaConfig(
        **SMALL,
        num_hidden_layers=layers,
        attn_layer_period=attention[0],
        attn_layer_offset=attention[1],
        expert_layer_period=expert[0],
        expert_layer_offset=expert[1],
        num_experts=experts,
    )
    assert JambaConfig.from_mapping(config.to_mapping()) == config
    assert config.mixers.count("attention") == len(range(attention[1], layers, attention[0]))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"attn_layer_offset": 8}, "attn_layer_offset is 8, expected below attn_layer_period 8"),
        ({"expert_layer_offset": 2}, "expert_layer_offset is 2, expected below expert_layer_per"),
        ({"hidden_size": 30}, "hidden_size is 30, expected a multiple of num_attention_heads 4"),
        ({"num_key_value_heads": 3}, "num_attention_heads is 4, expected a multiple of num_key_v"),
        ({"num_experts_per_tok": 17}, "num_experts_per_tok is 17, expected at most num_experts 1"),
        ({"num_hidden_layers": 0}, "num_hidden_layers is 0, expected at least 1"),
        ({"num_hidden_layers": 10**9}, "num_hidden_layers is 1000000000, expected at most 65,536"),
        ({"num_experts": 10**9}, "num_experts is 1000000000, expected at most"),
        ({"mamba_d_conv": 0}, "mamba_d_conv is 0, expected at least 1"),
        ({"mamba_dt_rank": -1}, "mamba_dt_rank is -1, expected at least 1"),
        ({"hidden_size": "32"}, "hidden_size is '32', expected int"),
        ({"hidden_size": 32.0}, "hidden_size is 32.0, expected int"),
        ({"num_experts": True}, "num_experts is True, expected int"),
        ({"mamba_conv_bias": 1}, "mamba_conv_bias is 1, expected bool"),
        ({"rms_norm_eps": -1e-6}, "rms_norm_eps is -1e-06, expected at least 0"),
        ({"rms_norm_eps": math.nan}, "rms_norm_eps is nan"),
        ({"attention_dropout": 1.0}, "attention_dropout is 1.0, expected below 1"),
        (
            {"hidden_act": "gelu_pytorch_tanh"},
            "hidden_act is 'gelu_pytorch_tanh': the kernels support",
        ),
        ({"hidden_act": None}, "hidden_act is None"),
        ({"pad_token_id": 65536}, "pad_token_id is 65536, expected a token below vocab_size 65536"),
        ({"eos_token_id": [2, -5]}, "eos_token_ids is -5"),
        ({"eos_token_id": "2"}, "eos_token_ids is '2'"),
        ({"mamba_inner_layernorms": False}, "mamba_inner_layernorms is false"),
        ({"head_dim": 16}, "head_dim is 16, expected hidden_size / num_attention_heads = 8"),
        ({"layers_block_type": ["mamba"]}, "layers_block_type disagrees"),
        ({"model_type": "mamba"}, "model_type is 'mamba', expected 'jamba'"),
    ],
)
def test_what_is_no_model_is_refused(written: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        JambaConfig.from_mapping(mapping(**written))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_config_made_by_hand_is_checked_too() -> None:
    with pytest.raises(ConfigError, match="setting hidden_size: got 30"):
        JambaConfig(hidden_size=30, num_attention_heads=4, num_key_value_heads=2)


def test_names_of_the_same_activation() -> None:
    assert JambaConfig.from_mapping(mapping(hidden_act="swish")).hidden_act == "silu"
    assert JambaConfig.from_mapping(mapping(hidden_act="gelu")).hidden_act == "gelu"


def test_a_whole_number_stands_for_a_fraction() -> None:
    assert JambaConfig.from_mapping(mapping(attention_dropout=0)).attention_dropout == 0.0


def test_a_dense_model_may_say_anything_of_experts_per_token() -> None:
    config = JambaConfig.from_mapping(mapping(num_experts=1, num_experts_per_tok=2))
    assert not any(config.routed)
