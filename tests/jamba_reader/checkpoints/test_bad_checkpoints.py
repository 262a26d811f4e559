"""What is wrong with a checkpoint is said in one line, before a weight is read."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from jamba_reader.checkpoints.location import find_checkpoint
from jamba_reader.model.loading import load_model, save_model
from jamba_reader.model.model import JambaLanguageModel
from spider.artifacts.stage import Stage
from spider.errors import ArtifactError, CheckpointError, ConfigError, MissingDependencyError

GATE = "model.layers.1.feed_forward.experts.3.gate_proj.weight"
NORM = "model.final_layernorm.weight"
Write = Callable[..., Path]


@pytest.fixture
def sharded(tiny: Any, tmp_path: Path) -> Path:
    save_model(JambaLanguageModel(tiny.config()), tmp_path / "sharded", max_shard_bytes=20_000)
    return tmp_path / "sharded"


def said(folder: Path | str) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_model(folder, progress=False)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_misfits_are_listed_together(weights: dict[str, Tensor], write: Write) -> None:
    bad = {name: weight for name, weight in weights.items() if name != GATE}
    bad["model.layers.9.mamba.D"] = torch.ones(64)
    bad[NORM] = torch.ones(33)
    message = said(write(bad))
    assert f"missing: {GATE};" in message
    assert "unexpected: model.layers.9.mamba.D;" in message
    assert f"shape: {NORM} is (33,), expected (32,)" in message


def test_long_lists_are_capped(weights: dict[str, Tensor], write: Write) -> None:
    few = {name: weight for name, weight in weights.items() if "experts" not in name}
    message = said(write(few))
    assert "and 20 more" in message
    assert len(message) < 500


def test_no_shape_is_cast_silently(weights: dict[str, Tensor], write: Write) -> None:
    name = "model.layers.0.mamba.conv1d.weight"
    assert f"{name} is (64, 4), expected (64, 1, 4)" in said(
        write({**weights, name: weights[name][:, 0]})
    )


def test_fused_experts_of_a_wrong_shape_are_named_once(
    weights: dict[str, Tensor], write: Write
) -> None:
    fused = {
        n: w for n, w in weights.items() if not n.startswith("model.layers.1.feed_forward.exp")
    }
    part = "model.layers.1.feed_forward.experts"
    fused[f"{part}.gate_up_proj"] = torch.ones(3, 80, 32)
    fused[f"{part}.down_proj"] = torch.ones(4, 32, 40)
    message = said(write(fused))
    assert message.count("gate_up_proj is (3, 80, 32), expected (4, 80, 32)") == 1


def test_a_tensor_stored_twice_is_not_taken_for_one(
    weights: dict[str, Tensor], write: Write
) -> None:
    old = "model.layers.0.pre_moe_layernorm.weight"
    assert f"unexpected: {old}" in said(write({**weights, old: torch.ones(32)}))


def test_a_missing_head_names_the_setting(weights: dict[str, Tensor], write: Write) -> None:
    bare = {name: weight for name, weight in weights.items() if name != "lm_head.weight"}
    assert "missing: lm_head.weight (tie_word_embeddings is false)" in said(write(bare))


def test_types_that_are_no_weights(weights: dict[str, Tensor], write: Write) -> None:
    whole = {**weights, GATE: weights[GATE].to(torch.int8)}
    assert f"{GATE} is stored as I8, expected F64 or F32" in said(write(whole))
    eighth = {name: weight.to(torch.float8_e4m3fn) for name, weight in weights.items()}
    assert "is stored as F8_E4M3, expected" in said(write(eighth, name="eighth"))


def test_a_quantisation_that_we_do_not_have(weights: dict[str, Tensor], write: Write) -> None:
    message = said(write(weights, quantization_config={"quant_method": "fp8"}))
    assert "quantization_config.quant_method is 'fp8', expected 'experts_int8'" in message
    assert "config.json" in message
    assert "expected a mapping" in said(write(weights, quantization_config=[1]))


def test_another_architecture(weights: dict[str, Tensor], write: Write) -> None:
    message = said(write(weights, model_type="llama"))
    assert "config.json: model_type is 'llama', expected 'jamba'" in message


def test_a_model_that_is_none(weights: dict[str, Tensor], write: Write) -> None:
    assert "attn_layer_offset is 9, expected below" in said(write(weights, attn_layer_offset=9))


def test_a_truncated_shard(sharded: Path) -> None:
    shard = sorted(sharded.glob("*.safetensors"))[2]
    shard.write_bytes(shard.read_bytes()[:-5])
    message = said(sharded)
    assert f"{shard}: truncated or no safetensors file" in message
    assert f"{shard.stat().st_size:,} bytes" in message


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\noid x\n"])
def test_a_file_that_is_no_safetensors(content: bytes, sharded: Path) -> None:
    shard = sorted(sharded.glob("*.safetensors"))[0]
    shard.write_bytes(content)
    assert f"{shard}: truncated or no safetensors file" in said(sharded)


def test_missing_shards(sharded: Path) -> None:
    shards = sorted(sharded.glob("*.safetensors"))
    shards[1].unlink()
    message = said(sharded)
    assert f"1 of {len(shards)} shards are missing: {shards[1].name}; fetch" in message


def test_a_shard_without_a_tensor_that_the_index_promises(sharded: Path) -> None:
    index = sharded / "model.safetensors.index.json"
    placed = json.loads(index.read_text())
    placed["weight_map"]["model.layers.7.mamba.D"] = sorted(sharded.glob("*.safetensors"))[0].name
    index.write_text(json.dumps(placed))
    assert "the shards lack tensors of model.safetensors.index.json: model.layers.7" in said(
        sharded
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "is not JSON"),
        ("[1]", "holds a list, expected a mapping"),
        ("{}", "has no weight_map"),
    ],
)
def test_a_damaged_index(content: str, expected: str, sharded: Path) -> None:
    (sharded / "model.safetensors.index.json").write_text(content)
    assert f"model.safetensors.index.json {expected}" in said(sharded)


def test_a_damaged_config(weights: dict[str, Tensor], write: Write) -> None:
    folder = write(weights)
    (folder / "config.json").write_text("{'model_type': 'jamba'}")
    assert "config.json is not JSON" in said(folder)
    (folder / "config.json").unlink()
    assert "no such file, so" in said(folder)


def test_pickled_weights_are_not_opened(weights: dict[str, Tensor], write: Write) -> None:
    folder = write(weights)
    (folder / "model.safetensors").unlink()
    assert "holds no model.safetensors and no" in said(folder)
    (folder / "pytorch_model-00001-of-00002.bin").write_bytes(b"x")
    assert "pickled weights alone (pytorch_model-00001-of-00002.bin)" in said(folder)
    save_file({"x": torch.ones(1)}, folder / "model-00001-of-00002.safetensors")
    assert "but neither model.safetensors.index.json nor model.safetensors" in said(folder)


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


def test_places_that_are_none(tmp_path: Path) -> None:
    assert "no such folder, and no name on the hub" in said(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    assert "is a file; give the folder that holds config.json" in said(tmp_path / "file")
    with pytest.raises(CheckpointError, match="no such folder, and no name"):
        find_checkpoint("~/no/such/folder")
    (tmp_path / "half.partial").mkdir()
    assert "half: an unfinished reader; the command that writes it goes on" in said(
        tmp_path / "half"
    )


def test_more_weights_than_memory(
    weights: dict[str, Tensor], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jamba_reader.model.memory_budget.available_memory", lambda: 1 << 20)
    with pytest.raises(
        ConfigError, match=r"the weights take .* in float32, 1 MiB can be had on cpu"
    ):
        load_model(write(weights), progress=False)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache, offline; models--OWNER--MODEL below it."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


def test_a_name_that_is_not_in_the_cache_offline(hub: Path) -> None:
    with pytest.raises(
        MissingDependencyError, match="not in the hub's cache, and the hub"
    ) as caught:
        load_model("ai21labs/Jamba-v0.1", progress=False)
    assert "\n" not in str(caught.value)


def test_a_name_in_the_cache(hub: Path, weights: dict[str, Tensor], write: Write) -> None:
    folder = write(weights)
    place = hub / "models--someone--tiny-jamba"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("0" * 40)
    (place / "snapshots").mkdir()
    folder.rename(place / "snapshots" / ("0" * 40))
    model = load_model("someone/tiny-jamba", progress=False)
    assert torch.equal(model.lm_head.weight, weights["lm_head.weight"])
