"""The table of a model's weights: a row for each part, in the order in which a token needs them."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from jamba_reader.model.decoding.reading import NotOurs, Reading
from jamba_reader.model.decoding.weights import can_be_read, find_parts
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.decode_step import operands


def parts_of(model: JambaLanguageModel) -> list[list[int]]:
    with torch.no_grad():
        return find_parts(model.config, model.model, model.lm_head, Reading())


def test_parts_come_in_the_order_of_the_layers(model: JambaLanguageModel) -> None:
    mixers = {
        "mamba": [operands.MAMBA],
        "attention": [operands.QUERY_KEY_VALUE, operands.ATTENTION_OUTPUT],
    }
    expected = []
    for mixer, routed in zip(model.config.mixers, model.config.routed, strict=True):
        expected += mixers[mixer]
        expected.append(operands.EXPERTS if routed else operands.DENSE)
    assert [row[operands.PART] for row in parts_of(model)] == [*expected, operands.HEAD]
    assert len(set(expected)) == 5


def test_columns_hold_the_addresses_of_their_weights(model: JambaLanguageModel) -> None:
    rows = parts_of(model)
    layer = model.model.layers[0]
    mamba = rows[0]
    assert mamba[operands.NORM] == layer.input_layernorm.weight.data_ptr()
    assert mamba[operands.IN] == layer.mamba.in_proj.weight.data_ptr()
    assert mamba[operands.CONV] == layer.mamba.conv1d.weight.data_ptr()
    assert mamba[operands.CONV_BIAS] == layer.mamba.conv1d.bias.data_ptr()
    assert mamba[operands.X] == layer.mamba.x_proj.weight.data_ptr()
    assert mamba[operands.DT] == layer.mamba.dt_proj.weight.data_ptr()
    assert mamba[operands.DT_BIAS] == layer.mamba.dt_proj.bias.data_ptr()
    assert mamba[operands.SKIP] == layer.mamba.D.data_ptr()
    assert mamba[operands.OUT] == layer.mamba.out_proj.weight.data_ptr()
    place = model.config.mixers.index("attention")
    attention = model.model.layers[place].self_attn
    row = next(row for row in rows if row[0] == operands.QUERY_KEY_VALUE)
    assert row[operands.QUERY] == attention.q_proj.weight.data_ptr()
    assert row[operands.KEY] == attention.k_proj.weight.data_ptr()
    assert row[operands.VALUE] == attention.v_proj.weight.data_ptr()
    row = next(row for row in rows if row[0] == operands.ATTENTION_OUTPUT)
    # it goes on from what the part before left: no norm
    assert row[operands.NORM] == 0
    assert row[operands.WEIGHT] == attention.o_proj.weight.data_ptr()
    assert rows[-1][operands.NORM] == model.model.final_layernorm.weight.data_ptr()
    assert rows[-1][operands.WEIGHT] == model.lm_head.weight.data_ptr()


def test_experts_and_dense_parts_have_their_columns(model: JambaLanguageModel) -> None:
    rows = parts_of(model)
    routed = model.config.routed.index(True)
    mixture = model.model.layers[routed].feed_forward
    row = next(row for row in rows if row[0] == operands.EXPERTS)
    assert row[operands.GATE] == mixture.experts.gate_up_proj.data_ptr()
    assert row[operands.UP] == 0
    assert row[operands.DOWN] == mixture.experts.down_proj.data_ptr()
    assert row[operands.ROUTER] == mixture.router.weight.data_ptr()
    dense = model.model.layers[model.config.routed.index(False)].feed_forward
    row = next(row for row in rows if row[0] == operands.DENSE)
    assert row[operands.GATE] == dense.gate_proj.weight.data_ptr()
    assert row[operands.UP] == dense.up_proj.weight.data_ptr()
    assert row[operands.DOWN] == dense.down_proj.weight.data_ptr()
    # float weights have no scales
    assert row[operands.GATE_SCALE] == row[operands.UP_SCALE] == row[operands.DOWN_SCALE] == 0


@pytest.mark.parametrize(("bias", "convolution"), [(True, True), (False, False), (True, False)])
def test_a_bias_that_is_not_there_is_zero(
    bias: bool, convolution: bool, make_model: Callable[..., JambaLanguageModel]
) -> None:
    row = parts_of(make_model(mamba_proj_bias=bias, mamba_conv_bias=convolution))[0]
    assert (row[operands.IN_BIAS] != 0) == bias
    assert (row[operands.OUT_BIAS] != 0) == bias
    assert (row[operands.CONV_BIAS] != 0) == convolution
    # the time step always has one
    assert row[operands.DT_BIAS] != 0


def test_tied_embeddings_are_the_head(make_model: Callable[..., JambaLanguageModel]) -> None:
    model = make_model(tie_word_embeddings=True)
    assert parts_of(model)[-1][operands.WEIGHT] == model.model.embed_tokens.weight.data_ptr()


def test_a_row_fits_the_table(model: JambaLanguageModel) -> None:
    # the states' columns are filled for each token, behind the weights
    assert max(map(len, parts_of(model))) <= operands.STATE < operands.COLUMNS


def shorten(model: JambaLanguageModel) -> None:
    del model.model.layers[3]


def swap_layers(model: JambaLanguageModel) -> None:
    layers = model.model.layers
    layers[1], layers[2] = layers[2], layers[1]


def wrap_head(model: JambaLanguageModel) -> None:
    model.lm_head = nn.Sequential(model.lm_head)  # type: ignore[assignment]


def wider_vocabulary(model: JambaLanguageModel) -> None:
    model.model.embed_tokens = nn.Embedding(24, 16)


def limited_norm(model: JambaLanguageModel) -> None:
    model.model.embed_tokens.max_norm = 1.0


@pytest.mark.parametrize(
    "change",
    [shorten, swap_layers, wrap_head, wider_vocabulary, limited_norm],
    ids=lambda change: change.__name__,
)
def test_a_model_that_is_not_as_its_configuration_is_refused(
    model: JambaLanguageModel, change: Callable[[JambaLanguageModel], Any]
) -> None:
    parts_of(model)
    change(model)
    with pytest.raises(NotOurs):
        parts_of(model)


@pytest.mark.parametrize(
    ("dtype", "readable"),
    [(torch.float32, True), (torch.bfloat16, True), (torch.float64, False), (torch.float16, False)],
)
def test_only_two_types_of_weights_are_read(
    dtype: torch.dtype, readable: bool, model: JambaLanguageModel
) -> None:
    model.to(dtype)
    assert can_be_read(model.model, model.lm_head) is readable


def one_of_another_type(model: JambaLanguageModel) -> None:
    model.model.final_layernorm.bfloat16()


def strided(model: JambaLanguageModel) -> None:
    weight = model.lm_head.weight
    weight.data = weight.data.t().contiguous().t()


def half_precision_buffer(model: JambaLanguageModel) -> None:
    model.model.register_buffer("extra", torch.zeros(2, dtype=torch.float16))


@pytest.mark.parametrize(
    "change",
    [one_of_another_type, strided, half_precision_buffer],
    ids=lambda change: change.__name__,
)
def test_weights_that_a_kernel_would_misread_are_left_to_the_layers(
    model: JambaLanguageModel, change: Callable[[JambaLanguageModel], Any]
) -> None:
    assert can_be_read(model.model, model.lm_head)
    change(model)
    assert not can_be_read(model.model, model.lm_head)


def test_int8_buffers_with_their_scales_can_be_read(model: JambaLanguageModel) -> None:
    model.model.register_buffer("rows", torch.zeros(2, dtype=torch.int8))
    model.model.register_buffer("scale", torch.zeros(2))
    assert can_be_read(model.model, model.lm_head)
