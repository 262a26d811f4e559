"""Where the weights of a model are, in the order in which one token needs them."""

from typing import Any

import torch
from torch import Tensor, nn

from jamba_reader.decode_step import layout
from jamba_reader.layers.attention import Attention
from jamba_reader.layers.backbone import Backbone
from jamba_reader.layers.decoder import DecoderLayer
from jamba_reader.layers.feed_forward import DenseFeedForward, Experts, MixtureOfExperts, Router
from jamba_reader.layers.int8_linear import Int8Linear
from jamba_reader.layers.linear import Linear
from jamba_reader.layers.mamba import MambaMixer
from jamba_reader.layers.rms_norm import RMSNorm
from jamba_reader.ops.operands import KINDS, address_of

Modules = dict[str, nn.Module | None]

_UNKNOWN = -1


class NotOurs(Exception):  # noqa: N818
    """A module is not the layers' own, or something listens to it: the layers have to run."""


def find_parts(backbone: Backbone, head: nn.Module) -> tuple[list[list[int]], list[Tensor]]:
    """Return a row of ``decode_step.layout`` for each part, and tensors to keep while it is used.

    Done anew for each token, so that a weight or module that was moved or replaced is never missed;
    by the modules' dictionaries, which is four times as fast as by their attributes.

    Raises:
        NotOurs: a module was replaced by another kind, or has hooks.
    """
    parts: list[list[int]] = []
    kept: list[Tensor] = []
    _plain(backbone, Backbone)
    for layer in backbone.layers:
        _add_layer(_plain(layer, DecoderLayer)._modules, parts, kept)
    norm = _weight(backbone._modules["final_layernorm"], RMSNorm)
    parts.append([layout.HEAD, norm, _weight(head, Linear)])
    return parts, kept


def can_be_read(backbone: Backbone, head: nn.Module) -> bool:
    """Return whether all weights lie in this machine's memory as the kernels read them."""
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


def _plain(module: nn.Module | None, kind: type[nn.Module]) -> nn.Module:
    """Return the module if calling it would do no more than its class does."""
    if type(module) is not kind or module._forward_hooks or module._forward_pre_hooks:
        raise NotOurs
    return module


def _weight(module: nn.Module | None, kind: type[nn.Module]) -> int:
    return address_of(_plain(module, kind)._parameters["weight"])


def _add_layer(modules: Modules, parts: list[list[int]], kept: list[Tensor]) -> None:
    """Add the mixer and the feed-forward part of one layer."""
    norm = _weight(modules["input_layernorm"], RMSNorm)
    mixer: Any = modules.get("mamba")
    if mixer is not None:
        parts.append([layout.MAMBA, norm, *_of_mamba(mixer, kept)])
    else:
        within = _plain(modules["self_attn"], Attention)._modules
        names = ("q_proj", "k_proj", "v_proj", "o_proj")
        query, key, value, out = (_weight(within[name], Linear) for name in names)
        parts.append([layout.QUERY_KEY_VALUE, norm, query, key, value])
        parts.append([layout.ATTENTION_OUTPUT, 0, out])
    norm = _weight(modules["pre_ff_layernorm"], RMSNorm)
    feed_forward = modules["feed_forward"]
    if type(feed_forward) is MixtureOfExperts:
        parts.append([layout.EXPERTS, norm, *_of_experts(feed_forward)])
    else:
        parts.append([layout.DENSE, norm, *_of_dense(feed_forward)])


def _of_mamba(mixer: MambaMixer, kept: list[Tensor]) -> list[int]:
    """Return the columns from ``IN`` on."""
    own, within = _plain(mixer, MambaMixer)._parameters, mixer._modules
    entry = _plain(within["in_proj"], Linear)._parameters
    # its own forward pass is never called
    taps: Any = within["conv1d"]
    time = _plain(within["dt_proj"], Linear)._parameters
    out = _plain(within["out_proj"], Linear)._parameters
    decay = mixer.decay()
    kept.append(decay)
    return [
        address_of(entry["weight"]),
        address_of(entry["bias"]),
        address_of(taps._parameters["weight"]),
        address_of(taps._parameters["bias"]),
        _weight(within["x_proj"], Linear),
        _weight(within["dt_layernorm"], RMSNorm),
        _weight(within["b_layernorm"], RMSNorm),
        _weight(within["c_layernorm"], RMSNorm),
        address_of(time["weight"]),
        address_of(time["bias"]),
        decay.data_ptr(),
        address_of(own["D"]),
        address_of(out["weight"]),
        address_of(out["bias"]),
    ]


def _of_experts(mixture: MixtureOfExperts) -> list[int]:
    """Return the columns from ``GATE`` on."""
    within = _plain(mixture, MixtureOfExperts)._modules
    experts = _plain(within["experts"], Experts)
    held: Any = experts._buffers if experts.int8 else experts._parameters
    gate_up, down = held["gate_up_proj"], held["down_proj"]
    return [
        gate_up.data_ptr(),
        address_of(held.get("gate_up_scale")),
        0,
        0,
        down.data_ptr(),
        address_of(held.get("down_scale")),
        _weight(within["router"], Router),
        KINDS.get(down.dtype, _UNKNOWN),
    ]


def _of_dense(feed_forward: nn.Module | None) -> list[int]:
    """Return the columns from ``GATE`` on."""
    within = _plain(feed_forward, DenseFeedForward)._modules
    row: list[int] = []
    kind = 0
    for name in ("gate_proj", "up_proj", "down_proj"):
        projection: Any = within[name]
        int8 = type(projection) is Int8Linear
        _plain(projection, Int8Linear if int8 else Linear)
        held = projection._buffers if int8 else projection._parameters
        row += [held["weight"].data_ptr(), address_of(held.get("scale"))]
        kind = KINDS.get(held["weight"].dtype, _UNKNOWN)
    return [*row, 0, kind]
