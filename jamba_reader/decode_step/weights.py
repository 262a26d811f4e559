"""Where the weights of a model are, in the order in which one token needs them."""

from collections.abc import Mapping
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
Tensors = Mapping[str, Tensor | None]

_UNKNOWN = -1


class NotOurs(Exception):  # noqa: N818
    """A module is not the layers' own, or something listens to it: the layers have to run."""


class Reading:
    """What was read of a model, and whether it is still so.

    Looking takes a third of the time that reading anew does. A weight or module that was moved or
    replaced, and a hook, are seen; what PyTorch itself does not see, as a view of other strides at
    the same address, is not.
    """

    def __init__(self) -> None:
        self._modules: list[tuple[nn.Module, type[nn.Module]]] = []
        self._children: list[tuple[Modules, str, nn.Module | None]] = []
        self._tensors: list[tuple[Tensors, str, Tensor | None, int]] = []
        self._decays: list[tuple[MambaMixer, Tensor]] = []

    def holds(self) -> bool:
        """Return whether reading again would find the same."""
        for module, kind in self._modules:
            if type(module) is not kind or module._forward_hooks or module._forward_pre_hooks:
                return False
        for children, name, child in self._children:
            if children.get(name) is not child:
                return False
        for tensors, name, tensor, address in self._tensors:
            if tensors.get(name) is not tensor or address_of(tensor) != address:
                return False
        return all(mixer.decay() is decay for mixer, decay in self._decays)

    def module(self, module: nn.Module | None, kind: type[nn.Module]) -> nn.Module:
        """Return the module if calling it would do no more than its class does.

        Raises:
            NotOurs: it is of another kind, or has hooks.
        """
        if type(module) is not kind or module._forward_hooks or module._forward_pre_hooks:
            raise NotOurs
        self._modules.append((module, kind))
        return module

    def child(self, modules: Modules, name: str, *kinds: type[nn.Module]) -> Any:
        """Return a module by its name, of one of these kinds.

        Raises:
            NotOurs: it is of another kind, or has hooks.
        """
        child = modules.get(name)
        self._children.append((modules, name, child))
        found = next((kind for kind in kinds if type(child) is kind), kinds[0])
        return self.module(child, found)

    def address(self, tensors: Tensors, name: str) -> int:
        """Return where a tensor is; 0 where there is none."""
        tensor = tensors.get(name)
        address = address_of(tensor)
        self._tensors.append((tensors, name, tensor, address))
        return address

    def weight(self, modules: Modules, name: str, kind: type[nn.Module]) -> int:
        """Return where the weight of a module is."""
        return self.address(self.child(modules, name, kind)._parameters, "weight")

    def decay(self, mixer: MambaMixer) -> int:
        """Return where A is; what is computed from weights is kept until it is read no more."""
        decay = mixer.decay()
        self._decays.append((mixer, decay))
        return decay.data_ptr()


def find_parts(backbone: Backbone, head: nn.Module, reading: Reading) -> list[list[int]]:
    """Return a row of ``decode_step.layout`` for each part.

    Args:
        backbone: all of the model but its head.
        head: of the language model.
        reading: gets what was read.

    Raises:
        NotOurs: a module was replaced by another kind, or has hooks.
    """
    parts: list[list[int]] = []
    within = reading.module(backbone, Backbone)._modules
    reading.weight(within, "embed_tokens", nn.Embedding)
    layers = reading.child(within, "layers", nn.ModuleList)._modules
    for name in layers:
        _add_layer(reading.child(layers, name, DecoderLayer)._modules, parts, reading)
    norm = reading.weight(within, "final_layernorm", RMSNorm)
    weight = reading.address(reading.module(head, Linear)._parameters, "weight")
    parts.append([layout.HEAD, norm, weight])
    return parts


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


def _add_layer(modules: Modules, parts: list[list[int]], reading: Reading) -> None:
    """Add the mixer and the feed-forward part of one layer."""
    norm = reading.weight(modules, "input_layernorm", RMSNorm)
    if modules.get("mamba") is not None:
        mixer = reading.child(modules, "mamba", MambaMixer)
        parts.append([layout.MAMBA, norm, *_of_mamba(mixer, reading)])
    else:
        within = reading.child(modules, "self_attn", Attention)._modules
        names = ("q_proj", "k_proj", "v_proj", "o_proj")
        query, key, value, out = (reading.weight(within, name, Linear) for name in names)
        parts.append([layout.QUERY_KEY_VALUE, norm, query, key, value])
        parts.append([layout.ATTENTION_OUTPUT, 0, out])
    norm = reading.weight(modules, "pre_ff_layernorm", RMSNorm)
    feed_forward = reading.child(modules, "feed_forward", MixtureOfExperts, DenseFeedForward)
    if type(feed_forward) is MixtureOfExperts:
        parts.append([layout.EXPERTS, norm, *_of_experts(feed_forward._modules, reading)])
    else:
        parts.append([layout.DENSE, norm, *_of_dense(feed_forward._modules, reading)])


def _of_mamba(mixer: MambaMixer, reading: Reading) -> list[int]:
    """Return the columns from ``IN`` on."""
    within, address, weight = mixer._modules, reading.address, reading.weight
    entry, time, out = (
        reading.child(within, name, Linear)._parameters
        for name in ("in_proj", "dt_proj", "out_proj")
    )
    taps = reading.child(within, "conv1d", nn.Conv1d)._parameters
    return [
        address(entry, "weight"),
        address(entry, "bias"),
        address(taps, "weight"),
        address(taps, "bias"),
        weight(within, "x_proj", Linear),
        weight(within, "dt_layernorm", RMSNorm),
        weight(within, "b_layernorm", RMSNorm),
        weight(within, "c_layernorm", RMSNorm),
        address(time, "weight"),
        address(time, "bias"),
        reading.decay(mixer),
        address(mixer._parameters, "D"),
        address(out, "weight"),
        address(out, "bias"),
    ]


def _of_experts(modules: Modules, reading: Reading) -> list[int]:
    """Return the columns from ``GATE`` on."""
    experts = reading.child(modules, "experts", Experts)
    held = experts._buffers if experts.int8 else experts._parameters
    return [
        reading.address(held, "gate_up_proj"),
        reading.address(held, "gate_up_scale"),
        0,
        0,
        reading.address(held, "down_proj"),
        reading.address(held, "down_scale"),
        reading.weight(modules, "router", Router),
        KINDS.get(held["down_proj"].dtype, _UNKNOWN),
    ]


def _of_dense(modules: Modules, reading: Reading) -> list[int]:
    """Return the columns from ``GATE`` on."""
    row: list[int] = []
    kind = 0
    for name in ("gate_proj", "up_proj", "down_proj"):
        projection = reading.child(modules, name, Linear, Int8Linear)
        int8 = type(projection) is Int8Linear
        held = projection._buffers if int8 else projection._parameters
        row += [reading.address(held, "weight"), reading.address(held, "scale")]
        kind = KINDS.get(held["weight"].dtype, _UNKNOWN)
    return [*row, 0, kind]
