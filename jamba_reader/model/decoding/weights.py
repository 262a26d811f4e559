"""Finds the addresses of a model's weights, in the order in which one token needs them."""

import torch
from torch import Tensor, nn

from jamba_reader.config import JambaConfig
from jamba_reader.model.decoding.reading import NotOurs, Reading
from jamba_reader.model.layers.attention import Attention
from jamba_reader.model.layers.backbone import Backbone
from jamba_reader.model.layers.decoder import DecoderLayer
from jamba_reader.model.layers.feed_forward import (
    DenseFeedForward,
    Experts,
    MixtureOfExperts,
    Router,
)
from jamba_reader.model.layers.int8_linear import Int8Linear
from jamba_reader.model.layers.linear import Linear
from jamba_reader.model.layers.mamba import MambaMixer
from jamba_reader.ops.decode_step import operands
from jamba_reader.ops.decode_step.operands import kind_of


def find_parts(
    config: JambaConfig, backbone: Backbone, head: nn.Module, reading: Reading
) -> list[list[int]]:
    """Return a row of ``decode_step.operands`` for each part.

    Args:
        config: shape of the model.
        backbone: the model without its head.
        head: the head of the language model.
        reading: collects the facts that are read.

    Raises:
        NotOurs: a module was changed or has hooks.
    """
    parts: list[list[int]] = []
    hidden, vocabulary, eps = config.hidden_size, config.vocab_size, config.rms_norm_eps
    reading.module(backbone, Backbone)
    embedding = reading.child(backbone, "embed_tokens", nn.Embedding, max_norm=None)
    reading.address(embedding, "weight", vocabulary, hidden)
    layers = reading.child(backbone, "layers", nn.ModuleList)
    if len(layers) != config.num_hidden_layers:
        raise NotOurs
    for index, name in enumerate(layers._modules):
        layer = reading.child(layers, name, DecoderLayer)
        _add_layer(config, index, layer, parts, reading)
    norm = reading.norm(backbone, "final_layernorm", hidden, eps)
    reading.absent(reading.module(head, Linear), "bias")
    parts.append([operands.HEAD, norm, reading.address(head, "weight", vocabulary, hidden)])
    return parts


def can_be_read(backbone: Backbone, head: nn.Module) -> bool:
    """Return whether all weights are in CPU memory, in a layout and dtype that the kernels read."""
    dtype = backbone.embed_tokens.weight.dtype
    if dtype not in (torch.float32, torch.bfloat16):
        return False
    tensors = [*backbone.parameters(), *backbone.buffers(), *head.parameters()]
    other = (torch.int8, torch.float32)
    return all(
        tensor.is_contiguous()
        and tensor.device.type == "cpu"
        and (
            tensor.dtype == dtype
            or (not isinstance(tensor, nn.Parameter) and tensor.dtype in other)
        )
        for tensor in tensors
    )


def _add_layer(
    config: JambaConfig, index: int, layer: nn.Module, parts: list[list[int]], reading: Reading
) -> None:
    """Add the mixer and the feed-forward part of one layer."""
    hidden, eps = config.hidden_size, config.rms_norm_eps
    norm = reading.norm(layer, "input_layernorm", hidden, eps)
    if config.mixers[index] == "mamba":
        mixer = reading.child(layer, "mamba", MambaMixer)
        parts.append([operands.MAMBA, norm, *_of_mamba(config, mixer, reading)])
    else:
        attention = reading.child(layer, "self_attn", Attention)
        queries = config.num_attention_heads * config.head_dim
        shared = config.num_key_value_heads * config.head_dim
        query, key, value = (
            reading.matrix(attention, name, width, hidden)
            for name, width in (("q_proj", queries), ("k_proj", shared), ("v_proj", shared))
        )
        parts.append([operands.QUERY_KEY_VALUE, norm, query, key, value])
        out = reading.matrix(attention, "o_proj", hidden, queries)
        parts.append([operands.ATTENTION_OUTPUT, 0, out])
    norm = reading.norm(layer, "pre_ff_layernorm", hidden, eps)
    kind = MixtureOfExperts if config.routed[index] else DenseFeedForward
    feed_forward = reading.child(layer, "feed_forward", kind, activation=config.hidden_act)
    if config.routed[index]:
        parts.append([operands.EXPERTS, norm, *_of_experts(config, feed_forward, reading)])
    else:
        parts.append([operands.DENSE, norm, *_of_dense(config, feed_forward, reading)])


def _of_mamba(config: JambaConfig, mixer: MambaMixer, reading: Reading) -> list[int]:
    """Return the columns from ``IN`` on."""
    hidden, inner, states = config.hidden_size, config.inner_size, config.mamba_d_state
    rank, eps = config.mamba_dt_rank, config.rms_norm_eps
    address, optional, norm = reading.address, reading.optional, reading.norm
    entry, time, out = (
        reading.child(mixer, name, Linear) for name in ("in_proj", "dt_proj", "out_proj")
    )
    taps = reading.child(mixer, "conv1d", nn.Conv1d)
    return [
        address(entry, "weight", 2 * inner, hidden),
        optional(entry, "bias", 2 * inner),
        address(taps, "weight", inner, 1, config.mamba_d_conv),
        optional(taps, "bias", inner),
        reading.matrix(mixer, "x_proj", rank + 2 * states, inner),
        norm(mixer, "dt_layernorm", rank, eps),
        norm(mixer, "b_layernorm", states, eps),
        norm(mixer, "c_layernorm", states, eps),
        address(time, "weight", inner, rank),
        address(time, "bias", inner),
        reading.decay(mixer, inner, states),
        address(mixer, "D", inner),
        address(out, "weight", hidden, inner),
        optional(out, "bias", hidden),
    ]


def _of_experts(config: JambaConfig, mixture: nn.Module, reading: Reading) -> list[int]:
    """Return the columns from ``GATE`` on."""
    count, hidden, inner = config.num_experts, config.hidden_size, config.intermediate_size
    experts = reading.child(mixture, "experts", Experts)
    router = reading.child(mixture, "router", Router, top_k=config.num_experts_per_tok)
    return [
        reading.address(experts, "gate_up_proj", count, 2 * inner, hidden),
        reading.optional(experts, "gate_up_scale", count, 2 * inner),
        0,
        0,
        reading.address(experts, "down_proj", count, hidden, inner),
        reading.optional(experts, "down_scale", count, hidden),
        reading.address(router, "weight", count, hidden),
        _kind_of(experts.gate_up_proj, experts.down_proj),
    ]


def _of_dense(config: JambaConfig, feed_forward: nn.Module, reading: Reading) -> list[int]:
    """Return the columns from ``GATE`` on."""
    hidden, inner = config.hidden_size, config.intermediate_size
    row: list[int] = []
    weights: list[Tensor] = []
    for name, outputs, inputs in (
        ("gate_proj", inner, hidden),
        ("up_proj", inner, hidden),
        ("down_proj", hidden, inner),
    ):
        projection = reading.child(feed_forward, name, Linear, Int8Linear)
        reading.absent(projection, "bias")
        row.append(reading.address(projection, "weight", outputs, inputs))
        row.append(reading.optional(projection, "scale", outputs))
        weights.append(projection.weight)
    return [*row, 0, _kind_of(*weights)]


def _kind_of(*weights: Tensor) -> int:
    """Return the kind of the dtype of some weights.

    Raises:
        NotOurs: their dtypes differ, or no kernel reads them.
    """
    kind = kind_of(weights[0].dtype)
    if kind is None or len({weight.dtype for weight in weights}) > 1:
        raise NotOurs
    return kind
