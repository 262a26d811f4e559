"""Where a model's weights are: a row for each part, in the order in which a token needs them."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from jamba_reader.config import JambaConfig
from jamba_reader.model.decoding.reading import NotOurs, Reading
from jamba_reader.model.decoding.weights import can_be_read, find_parts
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.decode_step import operands
from jamba_reader.ops.decode_step.operands import kind_of
from jamba_reader.ops.row_quantisation.format import ExpertsInt8

SMALL: dict[str, Any] = {
    "vocab_size": 31,
    "hidden_size": 16,
    "intermediate_size": 12,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_experts": 4,
    "attn_layer_period": 3,
    "attn_layer_offset": 1,
    "mamba_d_state": 4,
    "mamba_dt_rank": 2,
}


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    """As while decoding; with gradients, a mixer computes its decay each time."""
    with torch.no_grad():
        yield


def make(quantization: ExpertsInt8 | None = None, **changes: Any) -> JambaLanguageModel:
    config = JambaConfig(**{**SMALL, **changes})
    return JambaLanguageModel(config, dtype=torch.float32, quantization=quantization).eval()


def parts_of(model: JambaLanguageModel) -> list[list[int]]:
    return find_parts(model.config, model.model, model.lm_head, Reading())


def test_layers_come_in_order_and_the_head_comes_last() -> None:
    model = make()
    mixers = {
        "mamba": [operands.MAMBA],
        "attention": [operands.QUERY_KEY_VALUE, operands.ATTENTION_OUTPUT],
    }
    expected = []
    for mixer, routed in zip(model.config.mixers, model.config.routed, strict=True):
        expected += [*mixers[mixer], operands.EXPERTS if routed else operands.DENSE]
    kinds = [row[operands.PART] for row in parts_of(model)]
    assert kinds == [*expected, operands.HEAD]
    # all of the six kinds, or the test shows too little
    assert len(set(kinds)) == 6


def test_columns_hold_the_addresses_of_the_weights() -> None:
    model = make()
    parts = parts_of(model)
    by_kind = {row[operands.PART]: row for row in reversed(parts)}
    layers = list(model.model.layers)
    mixer = next(layer.mamba for layer in layers if hasattr(layer, "mamba"))
    attention = next(layer.self_attn for layer in layers if hasattr(layer, "self_attn"))
    experts = next(layer.feed_forward for layer in layers if hasattr(layer.feed_forward, "experts"))
    dense = next(layer.feed_forward for layer in layers if hasattr(layer.feed_forward, "gate_proj"))
    expected: list[tuple[int, int, Tensor]] = [
        (operands.MAMBA, operands.NORM, layers[0].input_layernorm.weight),
        (operands.MAMBA, operands.IN, mixer.in_proj.weight),
        (operands.MAMBA, operands.CONV, mixer.conv1d.weight),
        (operands.MAMBA, operands.CONV_BIAS, mixer.conv1d.bias),
        (operands.MAMBA, operands.X, mixer.x_proj.weight),
        (operands.MAMBA, operands.DT_NORM, mixer.dt_layernorm.weight),
        (operands.MAMBA, operands.B_NORM, mixer.b_layernorm.weight),
        (operands.MAMBA, operands.C_NORM, mixer.c_layernorm.weight),
        (operands.MAMBA, operands.DT, mixer.dt_proj.weight),
        (operands.MAMBA, operands.DT_BIAS, mixer.dt_proj.bias),
        (operands.MAMBA, operands.DECAY, mixer.decay()),
        (operands.MAMBA, operands.SKIP, mixer.D),
        (operands.MAMBA, operands.OUT, mixer.out_proj.weight),
        (operands.QUERY_KEY_VALUE, operands.QUERY, attention.q_proj.weight),
        (operands.QUERY_KEY_VALUE, operands.KEY, attention.k_proj.weight),
        (operands.QUERY_KEY_VALUE, operands.VALUE, attention.v_proj.weight),
        (operands.ATTENTION_OUTPUT, operands.WEIGHT, attention.o_proj.weight),
        (operands.EXPERTS, operands.GATE, experts.experts.gate_up_proj),
        (operands.EXPERTS, operands.DOWN, experts.experts.down_proj),
        (operands.EXPERTS, operands.ROUTER, experts.router.weight),
        (operands.DENSE, operands.GATE, dense.gate_proj.weight),
        (operands.DENSE, operands.UP, dense.up_proj.weight),
        (operands.DENSE, operands.DOWN, dense.down_proj.weight),
        (operands.HEAD, operands.NORM, model.model.final_layernorm.weight),
        (operands.HEAD, operands.WEIGHT, model.lm_head.weight),
    ]
    for kind, column, tensor in expected:
        assert by_kind[kind][column] == tensor.data_ptr(), (kind, column)
    # the model has no biases of its projections and no scales
    mamba, routed = by_kind[operands.MAMBA], by_kind[operands.EXPERTS]
    absent = mamba[operands.IN_BIAS], mamba[operands.OUT_BIAS], routed[operands.GATE_SCALE]
    assert absent == (0, 0, 0)


def test_int8_weights_bring_their_scales_and_their_kind() -> None:
    model = make(ExpertsInt8(dense=True))
    for row in parts_of(model):
        if row[operands.PART] in (operands.EXPERTS, operands.DENSE):
            assert row[operands.WEIGHT_KIND] == kind_of(torch.int8)
            assert row[operands.GATE_SCALE] != 0
            assert row[operands.DOWN_SCALE] != 0


@pytest.mark.parametrize(
    "change", [{"hidden_size": 32}, {"num_hidden_layers": 3}, {"vocab_size": 32}]
)
def test_a_model_of_another_shape_is_not_read(change: dict[str, Any]) -> None:
    model = make()
    other = JambaConfig(**{**SMALL, **change})
    with pytest.raises(NotOurs):
        find_parts(other, model.model, model.lm_head, Reading())


def test_weights_that_kernels_can_read() -> None:
    model = make(ExpertsInt8())
    assert can_be_read(model.model, model.lm_head)
    assert can_be_read(*backbone_and_head(make().to(torch.bfloat16)))


def backbone_and_head(model: JambaLanguageModel) -> tuple[Any, nn.Module]:
    return model.model, model.lm_head


def turn(model: JambaLanguageModel) -> None:
    model.lm_head.weight = nn.Parameter(model.lm_head.weight.detach().t().contiguous().t())


def widen_head(model: JambaLanguageModel) -> None:
    model.lm_head.double()


def halve(model: JambaLanguageModel) -> None:
    model.half()


def narrow_norm(model: JambaLanguageModel) -> None:
    model.model.final_layernorm.bfloat16()


def move_head(model: JambaLanguageModel) -> None:
    model.lm_head.to("meta")


@pytest.mark.parametrize("change", [turn, widen_head, halve, narrow_norm, move_head])
def test_weights_that_kernels_cannot_read(change: Any) -> None:
    model = make()
    change(model)
    assert not can_be_read(*backbone_and_head(model))
