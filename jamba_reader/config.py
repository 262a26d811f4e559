"""The configuration of a Jamba model, as in ``config.json`` (Jamba-1.5, arXiv:2408.12570)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

from spider.errors import CheckpointError, ConfigError, SettingError

Mixer = Literal["mamba", "attention"]

MODEL_TYPE, ARCHITECTURE = "jamba", "JambaForCausalLM"
#: the activations that the kernels support, by their names in transformers
ACTIVATIONS = {"silu": "silu", "swish": "silu", "gelu": "gelu"}
AT_LEAST_ONE = (
    "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "num_experts", "num_experts_per_tok", "expert_layer_period",
    "attn_layer_period", "mamba_d_state", "mamba_d_conv", "mamba_expand", "mamba_dt_rank",
    "max_position_embeddings",
)  # fmt: skip
AT_LEAST_ZERO = (
    "expert_layer_offset", "attn_layer_offset", "rms_norm_eps", "initializer_range",
    "attention_dropout", "router_aux_loss_coef",
)  # fmt: skip
#: layers times experts; Jamba-1.5-Large has 1,152. Each has names, which are listed before weights
MOST_PARTS = 1 << 16


@dataclass(frozen=True, kw_only=True)
class JambaConfig:
    """The shape of a model; names and defaults are those of ``config.json``.

    The mixer of a layer is attention if the layer's index modulo ``attn_layer_period`` is
    ``attn_layer_offset``, and Mamba otherwise. Its feed-forward part is a mixture of experts if the
    index modulo ``expert_layer_period`` is ``expert_layer_offset`` and there are several experts.

    Attributes:
        vocab_size: number of tokens.
        hidden_size: width of the model.
        intermediate_size: width of a feed-forward part, and of each expert.
        num_hidden_layers: number of layers.
        num_attention_heads: query heads of an attention layer.
        num_key_value_heads: key and value heads of an attention layer.
        hidden_act: activation of the convolution and of the feed-forward parts; the gate of a
            Mamba mixer is always SiLU.
        rms_norm_eps: added to the mean square in a normalisation.
        initializer_range: standard deviation of the initial weights.
        attention_dropout: share of the attention weights that training sets to zero.
        num_experts: experts of a mixture; 1 makes every feed-forward part dense.
        num_experts_per_tok: experts that compute each token.
        expert_layer_period: one layer in this many has a mixture of experts.
        expert_layer_offset: index of the first of these layers.
        attn_layer_period: one layer in this many has attention.
        attn_layer_offset: index of the first of these layers.
        mamba_d_state: numbers in the state of a channel.
        mamba_d_conv: tokens that the causal convolution sees.
        mamba_expand: channels of a Mamba mixer, as a multiple of ``hidden_size``.
        mamba_dt_rank: rank of the time-step projection; 0 ("auto" in the file) stands for
            ``hidden_size`` / 16, rounded up.
        mamba_conv_bias: whether the convolution has a bias.
        mamba_proj_bias: whether the projections of a Mamba mixer have a bias.
        tie_word_embeddings: whether input and output share one matrix of embeddings.
        output_router_logits: written back for transformers; not used here.
        router_aux_loss_coef: weight of the loss that balances the experts.
        pad_token_id: the padding token.
        bos_token_id: the token that begins a text.
        eos_token_ids: every token that ends a text.
        max_position_embeddings: the longest text that the model was made for.
        unknown: keys of ``config.json`` that are not used here; written back unchanged.

    Raises:
        ConfigError: the values do not describe a valid model.
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
    mamba_dt_rank: int = 0
    mamba_conv_bias: bool = True
    mamba_proj_bias: bool = False
    tie_word_embeddings: bool = False
    output_router_logits: bool = False
    router_aux_loss_coef: float = 0.001
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_ids: tuple[int, ...] = (2,)
    max_position_embeddings: int = 262144
    unknown: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.mamba_dt_rank == 0:
            object.__setattr__(self, "mamba_dt_rank", math.ceil(self.hidden_size / 16))
        _check_ranges(self)
        _check_shape(self)
        _check_tokens(self)

    @property
    def head_dim(self) -> int:
        """Width of an attention head."""
        return self.hidden_size // self.num_attention_heads

    @property
    def inner_size(self) -> int:
        """Number of channels of a Mamba mixer, d_inner."""
        return self.mamba_expand * self.hidden_size

    @cached_property
    def mixers(self) -> tuple[Mixer, ...]:
        """The mixer of each layer."""
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

    @property
    def stored_dtype(self) -> str | None:
        """The data type of the weights that ``config.json`` names, if it names one."""
        name = self.unknown.get("dtype", self.unknown.get("torch_dtype"))
        return name.removeprefix("torch.") if isinstance(name, str) else None

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> "JambaConfig":
        """Build the configuration from the contents of ``config.json``.

        Raises:
            CheckpointError: it describes another architecture, or is not valid.
        """
        if values.get("model_type") != MODEL_TYPE:
            raise CheckpointError(
                f"model_type is {values.get('model_type')!r}, expected {MODEL_TYPE!r}: a "
                "checkpoint of another architecture"
            )
        known = _own_values(values)
        used = known.keys() | {"eos_token_id", "model_type", "num_local_experts"}
        if values.get("architectures") == [ARCHITECTURE]:
            used |= {"architectures"}
        try:
            config = cls(**known, unknown={k: v for k, v in values.items() if k not in used})
            _check_unknown(config)
        except SettingError as error:
            message = f"{error.key} is {error.got!r}, expected {error.expected}"
            raise CheckpointError(message) from error
        except ConfigError as error:
            raise CheckpointError(str(error)) from error
        return config

    def to_mapping(self) -> dict[str, Any]:
        """Return the contents of ``config.json``, which transformers and ``from_mapping`` read."""
        own = {item.name: getattr(self, item.name) for item in fields(self)}
        del own["unknown"], own["eos_token_ids"]
        eos = self.eos_token_ids
        own["eos_token_id"] = None if not eos else eos[0] if len(eos) == 1 else list(eos)
        return {"architectures": [ARCHITECTURE], **self.unknown, "model_type": MODEL_TYPE, **own}


def _own_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of this class from ``config.json``, by their names here."""
    names = {item.name for item in fields(JambaConfig)} - {"unknown", "eos_token_ids"}
    known = {name: value for name, value in values.items() if name in names}
    alias = values.get("num_local_experts")
    if alias is not None and known.setdefault("num_experts", alias) != alias:
        raise CheckpointError(
            f"num_local_experts is {alias} and num_experts is {known['num_experts']}: expected "
            "one number of experts"
        )
    if known.get("num_key_value_heads", 0) is None:
        heads = known.get("num_attention_heads", JambaConfig.num_attention_heads)
        known["num_key_value_heads"] = heads
    if known.get("mamba_dt_rank", "auto") in ("auto", None):
        known["mamba_dt_rank"] = 0
    if "hidden_act" in known:
        known["hidden_act"] = ACTIVATIONS.get(str(known["hidden_act"]), known["hidden_act"])
    known["eos_token_ids"] = token_ids(values.get("eos_token_id", 2))
    _check_types(known)
    return known


def token_ids(value: Any) -> tuple[Any, ...]:
    """Return the ids of an ``eos_token_id``, which is a number, a list of numbers, or null."""
    return tuple(value) if isinstance(value, list | tuple) else () if value is None else (value,)


def _check_types(known: dict[str, Any]) -> None:
    for item in fields(JambaConfig):
        value = known.get(item.name, item.default)
        # JSON writers may store a float without a fraction as an integer
        if item.type is float and type(value) is int:
            known[item.name] = float(value)
        elif isinstance(item.type, type) and type(value) is not item.type:
            raise CheckpointError(f"{item.name} is {value!r}, expected {item.type.__name__}")
    if known.get("hidden_act", "silu") not in ACTIVATIONS.values():
        raise CheckpointError(
            f"hidden_act is {known['hidden_act']!r}: the kernels support {', '.join(ACTIVATIONS)}"
        )
    for name in ("pad_token_id", "bos_token_id", "eos_token_ids"):
        for token in token_ids(known.get(name)):
            if type(token) is not int:
                raise CheckpointError(f"{name} is {token!r}, expected a token id")


def _check_tokens(config: JambaConfig) -> None:
    for name in ("pad_token_id", "bos_token_id", "eos_token_ids"):
        for token in token_ids(getattr(config, name)):
            if not 0 <= token < config.vocab_size:
                raise SettingError(name, token, f"a token below vocab_size {config.vocab_size}")


def _check_ranges(config: JambaConfig) -> None:
    for names, least in ((AT_LEAST_ONE, 1), (AT_LEAST_ZERO, 0)):
        for name in names:
            value = getattr(config, name)
            if not least <= value < math.inf:
                raise SettingError(name, value, f"at least {least}")
    for name, limit in (
        ("num_hidden_layers", MOST_PARTS),
        ("num_experts", MOST_PARTS // config.num_hidden_layers),
    ):
        if getattr(config, name) > max(limit, 1):
            raise SettingError(name, getattr(config, name), f"at most {max(limit, 1):,}")
    if config.attention_dropout >= 1:
        raise SettingError("attention_dropout", config.attention_dropout, "below 1")


def _check_shape(config: JambaConfig) -> None:
    for kind in ("attn", "expert"):
        period = getattr(config, f"{kind}_layer_period")
        offset = getattr(config, f"{kind}_layer_offset")
        if offset >= period:
            raise SettingError(
                f"{kind}_layer_offset", offset, f"below {kind}_layer_period {period}"
            )
    for name, divisor in (
        ("hidden_size", "num_attention_heads"),
        ("num_attention_heads", "num_key_value_heads"),
    ):
        whole, part = getattr(config, name), getattr(config, divisor)
        if whole % part:
            raise SettingError(name, whole, f"a multiple of {divisor} {part}")
    # the value is unused in a model without mixtures of experts
    if 1 < config.num_experts < config.num_experts_per_tok:
        raise SettingError(
            "num_experts_per_tok",
            config.num_experts_per_tok,
            f"at most num_experts {config.num_experts}",
        )


def _check_unknown(config: JambaConfig) -> None:
    """Check the unused keys that would change the computation; all others are accepted."""
    if config.unknown.get("mamba_inner_layernorms", True) is False:
        raise ConfigError("mamba_inner_layernorms is false: Jamba normalises dt, B and C")
    if config.unknown.get("head_dim") not in (None, config.head_dim):
        raise ConfigError(
            f"head_dim is {config.unknown['head_dim']}, expected hidden_size / "
            f"num_attention_heads = {config.head_dim}"
        )
    schedule = config.unknown.get("layers_block_type")
    if schedule is not None and schedule != list(config.mixers):
        raise ConfigError(
            "layers_block_type disagrees with attn_layer_period and attn_layer_offset"
        )
