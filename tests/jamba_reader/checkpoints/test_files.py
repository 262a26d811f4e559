"""Damaged files of a checkpoint: one line names the file before a weight is read."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from jamba_reader.checkpoints.files import config_mapping, read_config, stored_tensors
from jamba_reader.ops.row_quantisation.format import ExpertsInt8

Write = Callable[..., Path]
MessageOf = Callable[[Path | str], str]


def test_a_quantisation_that_we_do_not_have(
    weights: dict[str, Tensor], write: Write, message_of: MessageOf
) -> None:
    message = message_of(write(weights, quantization_config={"quant_method": "fp8"}))
    assert "quantization_config.quant_method is 'fp8', expected 'experts_int8'" in message
    assert "config.json" in message
    assert "expected a mapping" in message_of(write(weights, quantization_config=[1]))


def test_another_architecture(
    weights: dict[str, Tensor], write: Write, message_of: MessageOf
) -> None:
    message = message_of(write(weights, model_type="llama"))
    assert "config.json: model_type is 'llama', expected 'jamba'" in message


def test_a_model_that_is_none(
    weights: dict[str, Tensor], write: Write, message_of: MessageOf
) -> None:
    assert "attn_layer_offset is 9, expected below" in message_of(
        write(weights, attn_layer_offset=9)
    )


def test_a_truncated_shard(sharded: Path, message_of: MessageOf) -> None:
    shard = sorted(sharded.glob("*.safetensors"))[2]
    shard.write_bytes(shard.read_bytes()[:-5])
    message = message_of(sharded)
    assert f"{shard}: truncated or not a safetensors file" in message
    assert f"{shard.stat().st_size:,} bytes" in message


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\noid x\n"])
def test_a_file_that_is_no_safetensors(
    content: bytes, sharded: Path, message_of: MessageOf
) -> None:
    shard = sorted(sharded.glob("*.safetensors"))[0]
    shard.write_bytes(content)
    assert f"{shard}: truncated or not a safetensors file" in message_of(sharded)


def test_missing_shards(sharded: Path, message_of: MessageOf) -> None:
    shards = sorted(sharded.glob("*.safetensors"))
    shards[1].unlink()
    message = message_of(sharded)
    assert f"1 of {len(shards)} shards are missing: {shards[1].name}; download" in message


def test_a_shard_without_a_tensor_that_the_index_promises(
    sharded: Path, message_of: MessageOf
) -> None:
    index = sharded / "model.safetensors.index.json"
    placed = json.loads(index.read_text())
    placed["weight_map"]["model.layers.7.mamba.D"] = sorted(sharded.glob("*.safetensors"))[0].name
    index.write_text(json.dumps(placed))
    assert "the shards lack tensors of model.safetensors.index.json: model.layers.7" in message_of(
        sharded
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", ":1: not JSON"),
        ("[1]", ": expected a JSON object, got a list"),
        ("{}", " has no weight_map"),
    ],
)
def test_a_damaged_index(content: str, expected: str, sharded: Path, message_of: MessageOf) -> None:
    (sharded / "model.safetensors.index.json").write_text(content)
    assert f"model.safetensors.index.json{expected}" in message_of(sharded)


def test_a_damaged_config(weights: dict[str, Tensor], write: Write, message_of: MessageOf) -> None:
    folder = write(weights)
    (folder / "config.json").write_text("{'model_type': 'jamba'}")
    assert "config.json:1: not JSON" in message_of(folder)
    (folder / "config.json").unlink()
    assert "no such file, so" in message_of(folder)


def test_pickled_weights_are_not_opened(
    weights: dict[str, Tensor], write: Write, message_of: MessageOf
) -> None:
    folder = write(weights)
    (folder / "model.safetensors").unlink()
    assert "holds no model.safetensors and no" in message_of(folder)
    (folder / "pytorch_model-00001-of-00002.bin").write_bytes(b"x")
    assert "only pickled weights (pytorch_model-00001-of-00002.bin)" in message_of(folder)
    save_file({"x": torch.ones(1)}, folder / "model-00001-of-00002.safetensors")
    assert "but neither model.safetensors.index.json nor model.safetensors" in message_of(folder)


def test_config_json_is_read_and_written(weights: dict[str, Tensor], write: Write) -> None:
    folder = write(weights, extra="kept")
    (folder / "generation_config.json").write_text('{"eos_token_id": [2, 9]}')
    config, quantization = read_config(folder)
    assert quantization is None
    assert config.eos_token_ids == (2, 9)
    written = config_mapping(config, "bfloat16", ExpertsInt8(dense=True))
    assert (written["dtype"], written["extra"]) == ("bfloat16", "kept")
    assert written["eos_token_id"] == [2, 9]
    (folder / "config.json").write_text(json.dumps(written))
    assert read_config(folder)[1] == ExpertsInt8(dense=True)


def test_headers_list_the_tensors(weights: dict[str, Tensor], sharded: Path) -> None:
    stored = stored_tensors(sharded)
    assert {name: part.shape for name, part in stored.items()} == {
        name: tuple(weight.shape) for name, weight in weights.items()
    }
    assert {part.dtype for part in stored.values()} == {"F32"}
    assert {part.file for part in stored.values()} == set(sharded.glob("*.safetensors"))


@pytest.mark.parametrize("end", [64, -1, 2.0, True, "2", {"id": 2}, [[2]], [2, None], 10**30])
def test_an_odd_end_of_text_is_blamed_on_its_file(
    end: object, weights: dict[str, Tensor], write: Write, message_of: MessageOf
) -> None:
    folder = write(weights)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": end}))
    message = message_of(folder)
    assert message.startswith(f"{folder / 'generation_config.json'}: eos_token_id has ")
    assert "expected token ids from 0 to 63" in message


def test_no_end_of_text_elsewhere_is_no_error(weights: dict[str, Tensor], write: Write) -> None:
    folder = write(weights)
    for content in ("{}", '{"eos_token_id": null}', '{"eos_token_id": []}'):
        (folder / "generation_config.json").write_text(content)
        assert read_config(folder)[0].eos_token_ids == (2,)


@pytest.mark.parametrize(
    "name", [None, 3, ["a.safetensors"], {}, "", "..", "/etc/passwd", "../a.safetensors", "a\\b"]
)
def test_a_shard_has_the_plain_name_of_a_file(
    name: object, sharded: Path, message_of: MessageOf
) -> None:
    index = sharded / "model.safetensors.index.json"
    placed = json.loads(index.read_text())
    placed["weight_map"]["model.embed_tokens.weight"] = name
    index.write_text(json.dumps(placed))
    message = message_of(sharded)
    assert f"model.embed_tokens.weight is in {name!r}, expected the name of a file" in message


def test_float_weights_under_the_name_of_a_quantisation(
    weights: dict[str, Tensor], write: Write, message_of: MessageOf
) -> None:
    message = message_of(write(weights, quantization_config={"quant_method": "experts_int8"}))
    assert "vLLM means by this name to quantise while it loads" in message
    assert "remove quantization_config from config.json" in message
