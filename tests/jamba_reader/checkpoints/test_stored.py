"""Tensors that are not those of the model: one line names them before a weight is read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from jamba_reader.checkpoints.stored import Checkpoint
from jamba_reader.model.loading import load_model, save_model
from jamba_reader.model.model import JambaLanguageModel
from spider.artifacts.stage import Stage
from spider.errors import ArtifactError

GATE = "model.layers.1.feed_forward.experts.3.gate_proj.weight"
NORM = "model.final_layernorm.weight"
Write = Callable[..., Path]
MessageOf = Callable[[Path | str], str]


def test_misfits_are_listed_together(
    weights: dict[str, Tensor], write: Write, message_of: MessageOf
) -> None:
    bad = {name: weight for name, weight in weights.items() if name != GATE}
    bad["model.layers.9.mamba.D"] = torch.ones(64)
    bad[NORM] = torch.ones(33)
    message = message_of(write(bad))
    assert f"missing: {GATE};" in message
    assert "unexpected: model.layers.9.mamba.D;" in message
    assert f"shape: {NORM} is (33,), expected (32,)" in message


def test_long_lists_are_capped(
    weights: dict[str, Tensor], write: Write, message_of: MessageOf
) -> None:
    few = {name: weight for name, weight in weights.items() if "experts" not in name}
    message = message_of(write(few))
    assert "and 20 more" in message
    assert len(message) < 500


def test_no_shape_is_cast_silently(
    weights: dict[str, Tensor], write: Write, message_of: MessageOf
) -> None:
    name = "model.layers.0.mamba.conv1d.weight"
    assert f"{name} is (64, 4), expected (64, 1, 4)" in message_of(
        write({**weights, name: weights[name][:, 0]})
    )


def test_fused_experts_of_a_wrong_shape_are_named_once(
    weights: dict[str, Tensor], write: Write, message_of: MessageOf
) -> None:
    fused = {
        n: w for n, w in weights.items() if not n.startswith("model.layers.1.feed_forward.exp")
    }
    part = "model.layers.1.feed_forward.experts"
    fused[f"{part}.gate_up_proj"] = torch.ones(3, 80, 32)
    fused[f"{part}.down_proj"] = torch.ones(4, 32, 40)
    message = message_of(write(fused))
    assert message.count("gate_up_proj is (3, 80, 32), expected (4, 80, 32)") == 1


def test_a_tensor_stored_twice_is_not_taken_for_one(
    weights: dict[str, Tensor], write: Write, message_of: MessageOf
) -> None:
    old = "model.layers.0.pre_moe_layernorm.weight"
    assert f"unexpected: {old}" in message_of(write({**weights, old: torch.ones(32)}))


def test_a_missing_head_names_the_setting(
    weights: dict[str, Tensor], write: Write, message_of: MessageOf
) -> None:
    bare = {name: weight for name, weight in weights.items() if name != "lm_head.weight"}
    assert "missing: lm_head.weight (tie_word_embeddings is false)" in message_of(write(bare))


def test_types_that_are_no_weights(
    weights: dict[str, Tensor], write: Write, message_of: MessageOf
) -> None:
    whole = {**weights, GATE: weights[GATE].to(torch.int8)}
    assert f"{GATE} is stored as I8, expected F64 or F32" in message_of(write(whole))
    eighth = {name: weight.to(torch.float8_e4m3fn) for name, weight in weights.items()}
    assert "is stored as F8_E4M3, expected" in message_of(write(eighth, name="eighth"))


def test_an_artifact_is_checked_against_its_manifest(tiny: Any, tmp_path: Path) -> None:
    stage = Stage(verb="x", kind="reader", output=tmp_path / "reader", config={}, inputs={})
    with stage.writing() as folder:
        save_model(JambaLanguageModel(tiny.config()), folder)
        stage.finish(counts={})
    load_model(tmp_path / "reader", progress=False)
    with (tmp_path / "reader" / "model.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ArtifactError, match="bytes; make reader again"):
        load_model(tmp_path / "reader", progress=False)


def test_tensors_are_read_from_every_layout(
    tiny: Any, weights: dict[str, Tensor], write: Write
) -> None:
    hub = Checkpoint(write(weights))
    fused = Checkpoint(write(tiny.model.state_dict(), name="fused"))
    assert list(hub.specs) == list(fused.specs) == list(weights)
    for name, weight in weights.items():
        assert torch.equal(hub.read(name), weight)
        assert torch.equal(fused.read(name), weight)
        assert fused.dtype_of(name) == torch.float32
    assert hub.nbytes == fused.nbytes == sum(weight.nbytes for weight in weights.values())
    assert [file.name for file in hub.weight_files] == ["model.safetensors"]
    assert [file.name for file in hub.small_files] == ["config.json"]


def test_the_configuration_names_the_data_type(weights: dict[str, Tensor], write: Write) -> None:
    half = {name: weight.to(torch.bfloat16) for name, weight in weights.items()}
    assert Checkpoint(write(half, name="stored")).dtype == torch.bfloat16
    assert Checkpoint(write(half, name="named", dtype="float16")).dtype == torch.float16
    assert Checkpoint(write(half, name="unknown", dtype="fp4")).dtype == torch.bfloat16
