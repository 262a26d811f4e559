"""One layer: a mixer and a feed-forward part, each added to the residual stream."""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from jamba_reader.config import JambaConfig
from jamba_reader.model.layers.attention import Attention
from jamba_reader.model.layers.feed_forward import DenseFeedForward, MixtureOfExperts
from jamba_reader.model.layers.mamba import MambaMixer
from jamba_reader.model.layers.rms_norm import RMSNorm, add_and_norm
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selection import Implementation


class LayerOutput(NamedTuple):
    """The output of a layer.

    Attributes:
        stream: the residual stream ``[tokens, hidden]``.
        branch: output of the feed-forward part, not added to the stream yet: one kernel does the
            addition and the next norm.
        state: the state from which a later call continues.
        router_logits: ``[tokens, experts]`` of a mixture of experts.
    """

    stream: Tensor
    branch: Tensor
    state: Any
    router_logits: Tensor | None


class DecoderLayer(nn.Module):
    """``x + mixer(norm(x))``, then ``x + feed_forward(norm(x))``.

    Args:
        config: shape of the model.
        index: index of the layer, which decides the mixer and the feed-forward part.
        kernels: implementation of the operations.
        quantization: feed-forward weights that are int8; None if there are none.
    """

    def __init__(
        self,
        config: JambaConfig,
        index: int,
        *,
        kernels: Implementation = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        quantization: ExpertsInt8 | None = None,
    ):
        super().__init__()
        place: dict[str, Any] = {"kernels": kernels, "device": device, "dtype": dtype}
        self.mixer_name = "mamba" if config.mixers[index] == "mamba" else "self_attn"
        mixer = MambaMixer if self.mixer_name == "mamba" else Attention
        self.add_module(self.mixer_name, mixer(config, **place))
        feed_forward = MixtureOfExperts if config.routed[index] else DenseFeedForward
        self.feed_forward = feed_forward(config, **place, quantization=quantization)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps, **place)
        self.pre_ff_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps, **place)

    def forward(
        self, stream: Tensor, branch: Tensor | None, segments: Segments, before: Any
    ) -> LayerOutput:
        """Run the layer.

        Args:
            stream: the residual stream ``[tokens, hidden]``.
            branch: output of the previous layer, to be added to the stream; None in the first.
            segments: boundaries of the sequences.
            before: state of this layer after earlier calls.
        """
        normed, stream = add_and_norm(self.input_layernorm, branch, stream)
        mixed, state = getattr(self, self.mixer_name)(normed, segments, before)
        normed, stream = add_and_norm(self.pre_ff_layernorm, mixed, stream)
        output, router_logits = self.feed_forward(normed)
        return LayerOutput(stream, output, state, router_logits)
