"""Embedding, layers and final norm: the model without its head."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from jamba_reader.cache.cache import Cache
from jamba_reader.config import JambaConfig
from jamba_reader.model.layers.decoder import DecoderLayer, LayerOutput
from jamba_reader.model.layers.rms_norm import RMSNorm, add_and_norm
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selection import Implementation


class Backbone(nn.Module):
    """The modules whose weights have names that begin with ``model.``.

    Args:
        config: shape of the model.
        kernels: implementation of the operations.
        quantization: feed-forward weights that are int8; None if there are none.
    """

    def __init__(
        self,
        config: JambaConfig,
        *,
        kernels: Implementation = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        quantization: ExpertsInt8 | None = None,
    ):
        super().__init__()
        place: dict[str, Any] = {"device": device, "dtype": dtype}
        self.gradient_checkpointing = False
        self.embed_tokens = nn.Embedding(
            config.vocab_size, config.hidden_size, config.pad_token_id, **place
        )
        self.layers = nn.ModuleList(
            DecoderLayer(config, index, kernels=kernels, quantization=quantization, **place)
            for index in range(config.num_hidden_layers)
        )
        self.final_layernorm = RMSNorm(
            config.hidden_size, config.rms_norm_eps, kernels=kernels, **place
        )

    def forward(
        self, tokens: Tensor, segments: Segments, cache: Cache | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Return hidden states ``[tokens, hidden]`` and router logits; the cache advances."""
        stream, branch = self.embed_tokens(tokens), None
        routers = []
        for index, layer in enumerate(self.layers):
            before = None if cache is None else cache.layer(index)
            output = self._run(layer, stream, branch, segments, before)
            stream, branch = output.stream, output.branch
            if cache is not None:
                cache.set_layer(index, output.state)
            if output.router_logits is not None:
                routers.append(output.router_logits)
        if cache is not None:
            cache.advance(segments)
        hidden, _ = add_and_norm(self.final_layernorm, branch, stream)
        return hidden, tuple(routers)

    def _run(
        self,
        layer: nn.Module,
        stream: Tensor,
        branch: Tensor | None,
        segments: Segments,
        before: Any,
    ) -> LayerOutput:
        if self.gradient_checkpointing and self.training and torch.is_grad_enabled():
            again: LayerOutput = checkpoint(
                layer, stream, branch, segments, before, use_reentrant=False
            )
            return again
        output: LayerOutput = layer(stream, branch, segments, before)
        return output
