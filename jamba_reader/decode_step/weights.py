"""Where the weights of a model are, in the order in which one token needs them."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from weakref import WeakMethod, ref

import torch
from torch import Tensor, nn

from jamba_reader.config import JambaConfig
from jamba_reader.decode_step import layout
from jamba_reader.layers.attention import Attention
from jamba_reader.layers.backbone import Backbone
from jamba_reader.layers.decoder import DecoderLayer
from jamba_reader.layers.feed_forward import DenseFeedForward, Experts, MixtureOfExperts, Router
from jamba_reader.layers.int8_linear import Int8Linear
from jamba_reader.layers.linear import Linear
from jamba_reader.layers.mamba import MambaMixer
from jamba_reader.layers.rms_norm import RMSNorm
from jamba_reader.ops.operands import KINDS


class NotOurs(Exception):  # noqa: N818
    """A module is not as the layers made it, or something listens to it: the layers have to run."""


class _Seen(NamedTuple):
    """One module as it was read; nothing here keeps it or its weights alive."""

    module: "ref[nn.Module]"
    kind: type[nn.Module]
    settings: list[tuple[str, object]]
    children: "list[tuple[str, ref[nn.Module]]]"
    parameters: "list[tuple[str, ref[Tensor], int]]"
    buffers: "list[tuple[str, ref[Tensor], int]]"
    absent: list[str]

    def holds(self) -> bool:
        """Return whether it is still so."""
        found, kind, settings, children, parameters, buffers, absent = self
        module = found()
        if module is None or not _plain(module, kind):
            return False
        held = module.__dict__
        within, own = held["_modules"], held["_parameters"]
        for name, child in children:
            if within.get(name) is not child():
                return False
        for name in absent:
            if own.get(name) is not None:
                return False
        for name, value in settings:
            if getattr(module, name) != value:
                return False
        return _hold(parameters, own) and (not buffers or _hold(buffers, held["_buffers"]))


def _hold(tensors: "list[tuple[str, ref[Tensor], int]]", now: Mapping[str, Tensor | None]) -> bool:
    for name, tensor, address in tensors:
        held = now.get(name)
        if held is None or held is not tensor() or held.data_ptr() != address:
            return False
    return True


class Reading:
    """What was read of a model, and whether it is still so.

    Looking takes a seventh of the time that reading anew does. Seen are a weight or module that was
    moved or replaced, a setting that changed, a hook, and a ``forward`` of a module's own; not what
    PyTorch does not see either, as a view of other strides at the same address.
    """

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}
        self._decays: list[tuple[WeakMethod[Callable[[], Tensor]], Tensor]] = []

    def holds(self, head: nn.Module) -> bool:
        """Return whether reading again, with this head, would find the same."""
        if id(head) not in self._seen:
            return False
        for seen in self._seen.values():
            if not seen.holds():
                return False
        return all(
            (compute := method()) is not None and compute() is decay
            for method, decay in self._decays
        )

    def module(self, module: nn.Module | None, *kinds: type[nn.Module], **settings: object) -> Any:
        """Return the module if calling it would do no more than its class does.

        Args:
            module: to read.
            kinds: of which it must be one.
            settings: that it must have.

        Raises:
            NotOurs: it is another, or has hooks.
        """
        kind = type(module)
        if module is None or kind not in kinds or not _plain(module, kind):
            raise NotOurs
        if any(getattr(module, name) != value for name, value in settings.items()):
            raise NotOurs
        seen = _Seen(ref(module), kind, list(settings.items()), [], [], [], [])
        self._seen[id(module)] = seen
        return module

    def child(
        self, module: nn.Module, name: str, *kinds: type[nn.Module], **settings: object
    ) -> Any:
        """Return a module's child; arguments as of ``module``."""
        child = self.module(module._modules.get(name), *kinds, **settings)
        self._seen[id(module)].children.append((name, ref(child)))
        return child

    def address(self, module: nn.Module, name: str, *shape: int) -> int:
        """Return where a parameter or buffer is.

        Raises:
            NotOurs: there is none of this shape.
        """
        seen = self._seen[id(module)]
        tensor: Tensor | None = module._parameters.get(name)
        tensors = seen.parameters
        if tensor is None:
            tensor, tensors = module._buffers.get(name), seen.buffers
        if tensor is None or tensor.shape != shape:
            raise NotOurs
        tensors.append((name, ref(tensor), tensor.data_ptr()))
        return tensor.data_ptr()

    def absent(self, module: nn.Module, name: str) -> int:
        """Return the address of no parameter, 0.

        Raises:
            NotOurs: there is one.
        """
        if module._parameters.get(name) is not None:
            raise NotOurs
        self._seen[id(module)].absent.append(name)
        return 0

    def optional(self, module: nn.Module, name: str, *shape: int) -> int:
        """Return where a tensor is; 0 where there is none."""
        if module._buffers.get(name) is None and module._parameters.get(name) is None:
            return self.absent(module, name)
        return self.address(module, name, *shape)

    def matrix(self, module: nn.Module, name: str, outputs: int, inputs: int) -> int:
        """Return where the weight of a linear layer without bias is."""
        linear = self.child(module, name, Linear)
        self.absent(linear, "bias")
        return self.address(linear, "weight", outputs, inputs)

    def norm(self, module: nn.Module, name: str, width: int, eps: float) -> int:
        """Return where the weight of a norm is."""
        return self.address(self.child(module, name, RMSNorm, eps=eps), "weight", width)

    def decay(self, mixer: MambaMixer, channels: int, states: int) -> int:
        """Return where A is; kept, for it is computed from a weight."""
        self.address(mixer, "A_log", channels, states)
        decay = mixer.decay()
        self._decays.append((WeakMethod(mixer.decay), decay))
        return decay.data_ptr()


def _plain(module: nn.Module, kind: type[nn.Module]) -> bool:
    """Return whether calling the module does what its class says, and nothing else."""
    held = module.__dict__
    listeners = held["_forward_hooks"] or held["_forward_pre_hooks"]
    return type(module) is kind and not listeners and "forward" not in held


def find_parts(
    config: JambaConfig, backbone: Backbone, head: nn.Module, reading: Reading
) -> list[list[int]]:
    """Return a row of ``decode_step.layout`` for each part.

    Args:
        config: shape that everything must have.
        backbone: all of the model but its head.
        head: of the language model.
        reading: gets what was read.

    Raises:
        NotOurs: something is not as the layers made it.
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
    parts.append([layout.HEAD, norm, reading.address(head, "weight", vocabulary, hidden)])
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


def _add_layer(
    config: JambaConfig, index: int, layer: nn.Module, parts: list[list[int]], reading: Reading
) -> None:
    """Add the mixer and the feed-forward part of one layer."""
    hidden, eps = config.hidden_size, config.rms_norm_eps
    norm = reading.norm(layer, "input_layernorm", hidden, eps)
    if config.mixers[index] == "mamba":
        mixer = reading.child(layer, "mamba", MambaMixer)
        parts.append([layout.MAMBA, norm, *_of_mamba(config, mixer, reading)])
    else:
        attention = reading.child(layer, "self_attn", Attention)
        queries = config.num_attention_heads * config.head_dim
        shared = config.num_key_value_heads * config.head_dim
        query, key, value = (
            reading.matrix(attention, name, width, hidden)
            for name, width in (("q_proj", queries), ("k_proj", shared), ("v_proj", shared))
        )
        parts.append([layout.QUERY_KEY_VALUE, norm, query, key, value])
        out = reading.matrix(attention, "o_proj", hidden, queries)
        parts.append([layout.ATTENTION_OUTPUT, 0, out])
    norm = reading.norm(layer, "pre_ff_layernorm", hidden, eps)
    kind = MixtureOfExperts if config.routed[index] else DenseFeedForward
    feed_forward = reading.child(layer, "feed_forward", kind, activation=config.hidden_act)
    if config.routed[index]:
        parts.append([layout.EXPERTS, norm, *_of_experts(config, feed_forward, reading)])
    else:
        parts.append([layout.DENSE, norm, *_of_dense(config, feed_forward, reading)])


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
    """Return how some weights are held.

    Raises:
        NotOurs: not all alike, or as no kernel reads them.
    """
    if len({weight.dtype for weight in weights}) > 1 or weights[0].dtype not in KINDS:
        raise NotOurs
    return KINDS[weights[0].dtype]
