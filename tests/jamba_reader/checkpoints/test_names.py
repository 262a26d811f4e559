"""Names, shapes and bytes of the released models, on the meta device (no weight is made)."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from jamba_reader.checkpoints.names import (
    EMBEDDING,
    View,
    model_view,
    modern_name,
    stored_views,
    tensor_specs,
    whole_shape,
)
from jamba_reader.config import JambaConfig
from jamba_reader.model.memory_budget import weight_bytes
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.presets import jamba_3b, jamba_large, jamba_mini

GIB = 1 << 30
RELEASED = [
    (jamba_mini, 51_570_323_328),
    (jamba_large, 398_555_145_696),
    (jamba_3b, 3_029_337_472),
]


@pytest.mark.parametrize(("preset", "parameters"), RELEASED)
def test_parameters_of_the_released_models(
    preset: Callable[[], JambaConfig], parameters: int
) -> None:
    model = JambaLanguageModel(preset(), device="meta", dtype=torch.bfloat16)
    assert sum(weight.numel() for weight in model.parameters()) == parameters
    assert sum(spec.elements for spec in tensor_specs(preset()).values()) == parameters
    assert weight_bytes(preset(), torch.bfloat16) == 2 * parameters


def test_bytes_of_mini_are_those_of_the_index_on_the_hub() -> None:
    assert weight_bytes(jamba_mini(), torch.bfloat16) == 103_140_646_656


@pytest.mark.parametrize("preset", [preset for preset, _ in RELEASED])
def test_names_and_shapes_are_those_of_transformers(preset: Callable[[], JambaConfig]) -> None:
    from transformers import JambaConfig as TransformersConfig
    from transformers import JambaForCausalLM

    with torch.device("meta"):
        theirs = JambaForCausalLM(TransformersConfig(**preset().to_mapping()))
    ours = JambaLanguageModel(preset(), device="meta")
    assert shapes(ours) == shapes(theirs)


@pytest.mark.parametrize("quantization", [None, ExpertsInt8(), ExpertsInt8(dense=True)])
@pytest.mark.parametrize("preset", [preset for preset, _ in RELEASED])
def test_every_number_in_memory_has_one_place_in_a_file(
    preset: Callable[[], JambaConfig], quantization: ExpertsInt8 | None
) -> None:
    config = preset()
    state = JambaLanguageModel(config, device="meta", quantization=quantization).state_dict()
    filled: dict[str, int] = {}
    for spec in tensor_specs(config, quantization).values():
        view = model_view(spec.name, config)
        place = state[view.name]
        part = place if view.expert is None else place[view.expert]
        assert part[view.start : view.stop].shape == spec.shape, spec.name
        filled[view.name] = filled.get(view.name, 0) + spec.elements
    expected = {name: weight.numel() for name, weight in state.items()}
    if config.tie_word_embeddings:
        del expected["lm_head.weight"]
    assert filled == expected


def test_names_on_the_hub() -> None:
    names = tensor_specs(jamba_mini())
    assert names["model.layers.1.feed_forward.experts.15.gate_proj.weight"].shape == (14336, 4096)
    assert names["model.layers.1.feed_forward.router.weight"].shape == (16, 4096)
    assert names["model.layers.0.feed_forward.down_proj.weight"].shape == (4096, 14336)
    assert names["model.layers.0.mamba.x_proj.weight"].shape == (288, 8192)
    assert names["model.layers.0.mamba.conv1d.weight"].shape == (8192, 1, 4)
    assert names["model.layers.4.self_attn.k_proj.weight"].shape == (1024, 4096)
    assert "model.layers.0.mamba.in_proj.bias" not in names
    assert "lm_head.weight" not in tensor_specs(jamba_3b())


@pytest.mark.parametrize(
    ("preset", "dense", "gibibytes"),
    [
        (jamba_mini, False, 54.1),
        (jamba_mini, True, 51.4),
        (jamba_large, False, 418),
        (jamba_large, True, 398),
    ],
)
def test_bytes_of_experts_in_int8(
    preset: Callable[[], JambaConfig], dense: bool, gibibytes: float
) -> None:
    quantization = ExpertsInt8(dense=dense)
    size = weight_bytes(preset(), torch.bfloat16, quantization)
    assert size / GIB == pytest.approx(gibibytes, rel=2e-3)
    model = JambaLanguageModel(
        preset(), device="meta", dtype=torch.bfloat16, quantization=quantization
    )
    assert size == sum(weight.nbytes for weight in model.state_dict().values())


def shapes(model: Any) -> dict[str, tuple[int, ...]]:
    return {name: tuple(weight.shape) for name, weight in model.state_dict().items()}


def test_legacy_names_by_hand() -> None:
    config = jamba_mini(num_hidden_layers=4)  # layers 1 and 3 have experts
    part = "model.layers"
    for old, new in (
        (f"{part}.0.pre_moe_layernorm.weight", f"{part}.0.pre_ff_layernorm.weight"),
        (f"{part}.0.mamba.B_layernorm.weight", f"{part}.0.mamba.b_layernorm.weight"),
        (f"{part}.0.moe.experts.0.up_proj.weight", f"{part}.0.feed_forward.up_proj.weight"),
        (
            f"{part}.1.moe.experts.0.up_proj.weight",
            f"{part}.1.feed_forward.experts.0.up_proj.weight",
        ),
        (f"{part}.1.moe.router.weight", f"{part}.1.feed_forward.router.weight"),
        ("lm_head.weight", "lm_head.weight"),
    ):
        assert modern_name(old, config) == new
        assert modern_name(new, config) == new


def test_fused_experts_by_hand() -> None:
    config = jamba_mini()
    part = "model.layers.1.feed_forward.experts"
    wide = config.intermediate_size
    for name, view in (
        (f"{part}.3.gate_proj.weight", View(f"{part}.gate_up_proj", 3, 0, wide)),
        (f"{part}.3.up_proj.weight", View(f"{part}.gate_up_proj", 3, wide, 2 * wide)),
        (f"{part}.3.down_proj.weight", View(f"{part}.down_proj", 3)),
        (f"{part}.3.up_proj.weight_scale", View(f"{part}.gate_up_scale", 3, wide, 2 * wide)),
        (
            "model.layers.0.feed_forward.up_proj.weight_scale",
            View("model.layers.0.feed_forward.up_proj.scale"),
        ),
    ):
        assert model_view(name, config) == view
    spec = tensor_specs(config)[f"{part}.3.up_proj.weight"]
    assert whole_shape(model_view(spec.name, config), spec, config) == (16, 2 * wide, 4096)
    assert whole_shape(View(spec.name), spec, config) == (wide, 4096)


def test_what_no_tensor_needs_is_unexpected() -> None:
    config = jamba_3b()
    specs = tensor_specs(config)
    old = "model.layers.0.pre_moe_layernorm.weight"
    found, unexpected = stored_views([*specs, old, "extra"], specs.values(), config)
    assert found == {name: View(name) for name in specs}
    assert unexpected == ["extra", old]
    renamed = [name.replace("pre_ff", "pre_moe") for name in specs if name != EMBEDDING]
    found, unexpected = stored_views(renamed, specs.values(), config)
    assert specs.keys() - found.keys() == {EMBEDDING}
    assert found["model.layers.0.pre_ff_layernorm.weight"] == View(old)
    assert unexpected == []
