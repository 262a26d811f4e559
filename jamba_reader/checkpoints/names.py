"""The names of a checkpoint's tensors in every known layout.

The canonical layout is the current one on the hub, with one tensor for each projection of each
expert; :func:`tensor_specs` lists its names. Two other layouts can be read. transformers 5 and our
model fuse the experts of a layer in memory. The code before transformers had Jamba used ``.moe.``,
``pre_moe_layernorm`` and ``B_layernorm``, and stored dense layers as expert 0.
"""

import math
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from jamba_reader.config import JambaConfig
from jamba_reader.ops.row_quantisation.format import ExpertsInt8

LM_HEAD = "lm_head.weight"
EMBEDDING = "model.embed_tokens.weight"
#: suffix of the name of an int8 tensor's scales
SCALE = "_scale"
EXPERT = re.compile(
    r"^(?P<part>model\.layers\.(?P<layer>\d+)\.feed_forward)"
    r"\.experts\.(?P<expert>\d+)\.(?P<projection>gate|up|down)_proj\.weight(?P<scale>_scale)?$"
)
#: parts of legacy names, and their current forms
LEGACY = {
    ".moe.": ".feed_forward.",
    ".pre_moe_layernorm.": ".pre_ff_layernorm.",
    ".B_layernorm.": ".b_layernorm.",
    ".C_layernorm.": ".c_layernorm.",
}
DENSE_SCALE = re.compile(r"(?<=_proj)\.weight_scale$")

Kind = Literal["float", "int8", "scale"]


class TensorSpec(NamedTuple):
    """One tensor of a checkpoint.

    Attributes:
        name: its name in the layout on the hub.
        shape: its shape.
        kind: a floating-point weight, an int8 weight, or the float32 scales of an int8 weight.
    """

    name: str
    shape: tuple[int, ...]
    kind: Kind = "float"

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


class View(NamedTuple):
    """A tensor of the hub's layout as a part of a tensor in another layout.

    Attributes:
        name: name of the tensor that contains it.
        expert: its index in the first dimension; None if the tensor is not fused.
        start: its first row, after indexing by ``expert``.
        stop: the row after its last one; None takes all rows.
    """

    name: str
    expert: int | None = None
    start: int = 0
    stop: int | None = None


def tensor_specs(
    config: JambaConfig, quantization: ExpertsInt8 | None = None
) -> dict[str, TensorSpec]:
    """Return the tensors of a checkpoint of this shape by name, in the model's order."""
    specs = [TensorSpec(EMBEDDING, (config.vocab_size, config.hidden_size))]
    for layer, mixer in enumerate(config.mixers):
        part = f"model.layers.{layer}"
        shapes = _mamba(config) if mixer == "mamba" else _attention(config)
        specs += [TensorSpec(f"{part}.{name}", shape) for name, shape in shapes.items()]
        specs += _feed_forward(config, layer, quantization)
        specs += [
            TensorSpec(f"{part}.{norm}.weight", (config.hidden_size,))
            for norm in ("input_layernorm", "pre_ff_layernorm")
        ]
    specs.append(TensorSpec("model.final_layernorm.weight", (config.hidden_size,)))
    if not config.tie_word_embeddings:
        specs.append(TensorSpec(LM_HEAD, (config.vocab_size, config.hidden_size)))
    return {spec.name: spec for spec in specs}


def _mamba(config: JambaConfig) -> dict[str, tuple[int, ...]]:
    hidden, inner, rank = config.hidden_size, config.inner_size, config.mamba_dt_rank
    states = config.mamba_d_state
    shapes: dict[str, tuple[int, ...]] = {
        "in_proj.weight": (2 * inner, hidden),
        "conv1d.weight": (inner, 1, config.mamba_d_conv),
        "x_proj.weight": (rank + 2 * states, inner),
        "dt_layernorm.weight": (rank,),
        "b_layernorm.weight": (states,),
        "c_layernorm.weight": (states,),
        "dt_proj.weight": (inner, rank),
        "dt_proj.bias": (inner,),
        "A_log": (inner, states),
        "D": (inner,),
        "out_proj.weight": (hidden, inner),
    }
    if config.mamba_conv_bias:
        shapes["conv1d.bias"] = (inner,)
    if config.mamba_proj_bias:
        shapes |= {"in_proj.bias": (2 * inner,), "out_proj.bias": (hidden,)}
    return {f"mamba.{name}": shape for name, shape in shapes.items()}


def _attention(config: JambaConfig) -> dict[str, tuple[int, ...]]:
    hidden = config.hidden_size
    shared = config.num_key_value_heads * config.head_dim
    rows = {"q": hidden, "k": shared, "v": shared, "o": hidden}
    return {f"self_attn.{name}_proj.weight": (count, hidden) for name, count in rows.items()}


def _feed_forward(
    config: JambaConfig, layer: int, quantization: ExpertsInt8 | None
) -> list[TensorSpec]:
    part = f"model.layers.{layer}.feed_forward"
    specs = []
    owners = [part]
    int8 = quantization is not None and quantization.dense
    if config.routed[layer]:
        specs.append(TensorSpec(f"{part}.router.weight", (config.num_experts, config.hidden_size)))
        owners = [f"{part}.experts.{expert}" for expert in range(config.num_experts)]
        int8 = quantization is not None
    wide = (config.intermediate_size, config.hidden_size)
    shapes = {"gate": wide, "up": wide, "down": (wide[1], wide[0])}
    for owner in owners:
        for projection, shape in shapes.items():
            name = f"{owner}.{projection}_proj.weight"
            specs.append(TensorSpec(name, shape, "int8" if int8 else "float"))
            if int8:
                specs.append(TensorSpec(f"{name}{SCALE}", shape[:1], "scale"))
    return specs


def model_view(name: str, config: JambaConfig) -> View:
    """Return the place of a tensor in memory, in our model and in that of transformers 5."""
    match = EXPERT.match(name)
    if match is None:
        return View(DENSE_SCALE.sub(".scale", name))
    projection, kind = match["projection"], "scale" if match["scale"] else "proj"
    expert, inner = int(match["expert"]), config.intermediate_size
    if projection == "down":
        return View(f"{match['part']}.experts.down_{kind}", expert)
    start = 0 if projection == "gate" else inner
    return View(f"{match['part']}.experts.gate_up_{kind}", expert, start, start + inner)


def stored_views(
    stored: Iterable[str], specs: Iterable[TensorSpec], config: JambaConfig
) -> tuple[dict[str, View], list[str]]:
    """Find each tensor in a checkpoint of any layout.

    Args:
        stored: names of the tensors in the files.
        specs: the tensors to find.
        config: shape of the model.

    Returns:
        The place of each tensor that was found, and the stored names that contain none of them.
    """
    modern: dict[str, str] = {}
    doubled = []
    for name in stored:
        known = modern.setdefault(modern_name(name, config), name)
        if known != name:
            doubled.append(name)
    found, used = {}, set()
    for spec in specs:
        whole, fused = View(spec.name), model_view(spec.name, config)
        view = whole if whole.name in modern else fused
        if view.name in modern:
            used.add(view.name)
            found[spec.name] = view._replace(name=modern[view.name])
    unexpected = [name for new, name in modern.items() if new not in used]
    return found, sorted(unexpected + doubled)


def modern_name(name: str, config: JambaConfig) -> str:
    """Return the current name of a tensor, whose name may be a legacy one."""
    for old, new in LEGACY.items():
        name = name.replace(old, new)
    match = EXPERT.match(name)
    if match and int(match["expert"]) == 0:
        layer = int(match["layer"])
        if layer < config.num_hidden_layers and not config.routed[layer]:
            return name.replace(".experts.0.", ".")
    return name


def whole_shape(view: View, spec: TensorSpec, config: JambaConfig) -> tuple[int, ...]:
    """Return the shape of the tensor that contains ``spec`` at ``view``."""
    if view.expert is None:
        return spec.shape
    rows = spec.shape[0] if view.stop is None else 2 * config.intermediate_size
    return (config.num_experts, rows, *spec.shape[1:])
