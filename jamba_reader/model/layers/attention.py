"""Grouped-query attention without position encoding (Jamba, arXiv:2403.19887, section 3)."""

from typing import Any

import torch
from torch import Tensor, nn

from jamba_reader.config import JambaConfig
from jamba_reader.model.layers.linear import Linear
from jamba_reader.ops.attention.key_value_memory import KeyValueMemory
from jamba_reader.ops.attention.op import attention
from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selection import Implementation


class Attention(nn.Module):
    """Causal attention in which groups of query heads share a key and value head.

    Args:
        config: shape of the model.
        kernels: implementation of the operations.
    """

    def __init__(
        self,
        config: JambaConfig,
        *,
        kernels: Implementation = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ):
        super().__init__()
        self.config = config
        self.kernels = kernels
        place: dict[str, Any] = {"kernels": kernels, "device": device, "dtype": dtype}
        hidden, size = config.hidden_size, config.head_dim
        shared = config.num_key_value_heads * size
        queries = config.num_attention_heads * size
        self.q_proj = Linear(hidden, queries, bias=False, **place)
        self.k_proj = Linear(hidden, shared, bias=False, **place)
        self.v_proj = Linear(hidden, shared, bias=False, **place)
        self.o_proj = Linear(queries, hidden, bias=False, **place)

    def forward(
        self, hidden: Tensor, segments: Segments, before: KeyValueMemory | None
    ) -> tuple[Tensor, KeyValueMemory | None]:
        """Attend within each sequence to its own tokens and to those in ``before``.

        Args:
            hidden: ``[tokens, hidden]``, normalised.
            segments: boundaries of the sequences.
            before: keys and values of earlier calls; those of this call are appended to it.

        Returns:
            The output of the branch ``[tokens, hidden]``, and the memory with the new tokens.
        """
        size, tokens = self.config.head_dim, len(hidden)
        heads, shared = self.config.num_attention_heads, self.config.num_key_value_heads
        query = self.q_proj(hidden).view(tokens, heads, size)
        key = self.k_proj(hidden).view(tokens, shared, size)
        value = self.v_proj(hidden).view(tokens, shared, size)
        after = None if before is None else before.append(key, value, segments)
        mixed = attention(
            query,
            key,
            value,
            segments,
            after,
            scale=size**-0.5,
            dropout=self.config.attention_dropout if self.training else 0.0,
            implementation=self.kernels,
        )
        return self.o_proj(mixed.reshape(tokens, heads * size)), after
