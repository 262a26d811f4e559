"""Files that safetensors reads, written tensor by tensor, and gone on with after a kill."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from jamba_reader.checkpoints.names import TensorSpec
from jamba_reader.checkpoints.writer import Outgoing, plan_shards, write_checkpoint, write_shard
from spider.errors import ConfigError

TENSORS = {
    "a": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "b": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "c": torch.tensor([[1, -127]], dtype=torch.int8),
    "d": torch.arange(12, dtype=torch.float64).reshape(3, 4).t(),
}
OUTGOING = [Outgoing(TensorSpec(n, tuple(t.shape)), t.dtype) for n, t in TENSORS.items()]


def test_safetensors_reads_what_is_written(tmp_path: Path) -> None:
    write_shard(tmp_path / "x.safetensors", OUTGOING, TENSORS.__getitem__)
    stored = load_file(tmp_path / "x.safetensors")
    assert stored.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert stored[name].dtype == tensor.dtype
        assert torch.equal(stored[name], tensor)


def test_shards_by_hand() -> None:
    # 24, 4, 2 and 96 bytes
    plan = plan_shards(OUTGOING, max_shard_bytes=28)
    names = {file: [tensor.spec.name for tensor in group] for file, group in plan.items()}
    assert names == {
        "model-00001-of-00003.safetensors": ["a", "b"],
        "model-00002-of-00003.safetensors": ["c"],
        "model-00003-of-00003.safetensors": ["d"],
    }
    assert list(plan_shards(OUTGOING, max_shard_bytes=126)) == ["model.safetensors"]
    with pytest.raises(ConfigError, match="max_shard_bytes=0"):
        plan_shards(OUTGOING, max_shard_bytes=0)


def test_an_interrupted_checkpoint_is_none_and_is_gone_on_with(tmp_path: Path) -> None:
    class KilledError(Exception):
        pass

    def killed(name: str) -> Tensor:
        if name == "d":
            raise KilledError
        return TENSORS[name]

    whole, torn = tmp_path / "whole", tmp_path / "torn"
    assert (
        write_checkpoint(whole, {"x": 1}, OUTGOING, TENSORS.__getitem__, max_shard_bytes=28) == 126
    )
    with pytest.raises(KilledError):
        write_checkpoint(torn, {"x": 1}, OUTGOING, killed, max_shard_bytes=28)
    assert {file.name for file in torn.iterdir()} == {
        "model-00001-of-00003.safetensors",
        "model-00002-of-00003.safetensors",
    }
    (torn / ".model-00003-of-00003.safetensors.7.tmp").write_bytes(b"what a kill leaves")
    asked = []

    def produce(name: str) -> Tensor:
        asked.append(name)
        return TENSORS[name]

    write_checkpoint(torn, {"x": 1}, OUTGOING, produce, max_shard_bytes=28, resume=True)
    assert asked == ["d"]
    assert {file.name for file in torn.iterdir()} == {file.name for file in whole.iterdir()}
    for file in whole.iterdir():
        assert (torn / file.name).read_bytes() == file.read_bytes()
    index = json.loads((torn / "model.safetensors.index.json").read_text())
    assert index["metadata"] == {"total_size": 126}
    assert index["weight_map"]["c"] == "model-00002-of-00003.safetensors"
