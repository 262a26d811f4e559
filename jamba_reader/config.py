"""The shape of a Jamba model, as ``config.json`` gives it (Jamba-1.5, arXiv:2408.12570)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

from spider.errors import CheckpointError

Mixer = Literal["mamba", "attention"]


@dataclass(frozen=True, kw_only=True)
class JambaConfig:
    """Shape of a model; names and defaults are those of ``config.json``.

    Attributes:
        unknown: keys of ``config.json`` that mean nothing here; written back as they came.
    """

    vocab_size: int = 65536
    hidden_size: int = 4096
    intermediate_size: int = 14336
    num_hidden_layers: int = 32
    num_attention_heads: int = 32
    num_key_value_heads: int = 8
    hidden_act: Literal["silu", "gelu"] = "silu"
    rms_norm_eps: float = 1e-6
    initializer_range: float = 0.02
    attention_dropout: float = 0.0
    num_experts: int = 16
    num_experts_per_tok: int = 2
    expert_layer_period: int = 2
    expert_layer_offset: int = 1
    attn_layer_period: int = 8
    attn_layer_offset: int = 4
    mamba_d_state: int = 16
    mamba_d_conv: int = 4
    mamba_expand: int = 2
    mamba_dt_rank: int = 256
    mamba_conv_bias: bool = True
    mamba_proj_bias: bool = False
    tie_word_embeddings: bool = False
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.001
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_ids: tuple[int, ...] = (2,)
    max_position_embeddings: int = 262144
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @property
    def head_dim(self) -> int:
        """Size of an attention head."""
        return self.hidden_size // self.num_attention_heads

    @property
    def inner_size(self) -> int:
        """Channels of a Mamba mixer, d_inner."""
        return self.mamba_expand * self.hidden_size

    @cached_property
    def mixers(self) -> tuple[Mixer, ...]:
        """What mixes tokens in each layer."""
        return tuple(
            "attention" if i % self.attn_layer_period == self.attn_layer_offset else "mamba"
            for i in range(self.num_hidden_layers)
        )

    @cached_property
    def routed(self) -> tuple[bool, ...]:
        """Whether each layer's feed-forward part is a mixture of experts."""
        return tuple(
            self.num_experts > 1 and i % self.expert_layer_period == self.expert_layer_offset
            for i in range(self.num_hidden_layers)
        )

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "JambaConfig":
        """Read the mapping that ``config.json`` holds.

        Raises:
            CheckpointError: it describes another architecture, or no valid model.
        """
        if values.get("model_type") != "jamba":
            raise CheckpointError(
                f"model_type is {values.get('model_type')!r}, expected 'jamba': a checkpoint of "
                "another architecture"
            )
        names = {item.name for item in fields(cls)} - {"unknown"}
        known = {name: value for name, value in values.items() if name in names}
        if known.get("mamba_dt_rank", "auto") == "auto":
            known["mamba_dt_rank"] = math.ceil(known.get("hidden_size", cls.hidden_size) / 16)
        eos = values.get("eos_token_id", 2)
        known["eos_token_ids"] = (
            tuple(eos) if isinstance(eos, list) else () if eos is None else (eos,)
        )
        used = names | {"eos_token_id", "model_type"}
        return cls(**known, unknown={k: v for k, v in values.items() if k not in used})
