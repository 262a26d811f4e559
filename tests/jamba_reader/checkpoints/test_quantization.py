"""Int8 while loading, int8 on disk, and int8 saved are the same bytes; memory stays small."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from jamba_reader.checkpoints.quantization import quantise_checkpoint
from jamba_reader.checkpoints.stored import Checkpoint
from jamba_reader.model.loading import load_model, save_model
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.row_quantisation.op import quantise_rows
from jamba_reader.ops.row_quantisation.reference import dequantise_rows
from spider.errors import CheckpointError, ConfigError

Write = Callable[..., Path]
EXPERT = "model.layers.1.feed_forward.experts.2"
DENSE = "model.layers.0.feed_forward.down_proj"


def assert_same(first: JambaLanguageModel, second: JambaLanguageModel) -> None:
    one, other = first.state_dict(), second.state_dict()
    assert one.keys() == other.keys()
    for name, weight in one.items():
        assert weight.dtype == other[name].dtype, name
        assert torch.equal(weight, other[name]), name


@pytest.mark.parametrize("dense", [False, True])
def test_loading_saving_and_quantising_on_disk_agree(
    dense: bool, weights: dict[str, Tensor], write: Write, tmp_path: Path
) -> None:
    folder, quantization = write(weights), ExpertsInt8(dense=dense)
    loaded = load_model(folder, quantization=quantization, progress=False)
    save_model(loaded, tmp_path / "saved")
    quantise_checkpoint(Checkpoint(folder), tmp_path / "disk", quantization)
    for name in ("saved", "disk"):
        again = load_model(tmp_path / name, progress=False)
        assert again.quantization == quantization
        assert_same(loaded, again)
    single = "model.safetensors"
    assert (tmp_path / "saved" / single).read_bytes() == (tmp_path / "disk" / single).read_bytes()


def test_rows_and_scales_are_where_the_model_wants_them(
    weights: dict[str, Tensor], write: Write
) -> None:
    model = load_model(write(weights), quantization=ExpertsInt8(dense=True), progress=False)
    state = model.state_dict()
    gate, up = (quantise_rows(weights[f"{EXPERT}.{name}_proj.weight"]) for name in ("gate", "up"))
    experts = "model.layers.1.feed_forward.experts"
    assert torch.equal(state[f"{experts}.gate_up_proj"][2], torch.cat([gate.values, up.values]))
    assert torch.equal(state[f"{experts}.gate_up_scale"][2], torch.cat([gate.scale, up.scale]))
    down = quantise_rows(weights[f"{DENSE}.weight"])
    assert torch.equal(state[f"{DENSE}.weight"], down.values)
    assert torch.equal(state[f"{DENSE}.scale"], down.scale)
    router = "model.layers.1.feed_forward.router.weight"
    assert torch.equal(state[router], weights[router])
    wide = dequantise_rows(down.values, down.scale)
    error = (wide - weights[f"{DENSE}.weight"]).abs()
    assert bool((error <= 0.5001 * down.scale[:, None]).all())


def test_names_and_types_on_disk(weights: dict[str, Tensor], write: Write, tmp_path: Path) -> None:
    counts = quantise_checkpoint(Checkpoint(write(weights)), tmp_path / "disk", ExpertsInt8())
    stored = load_file(tmp_path / "disk" / "model.safetensors")
    assert stored[f"{EXPERT}.gate_proj.weight"].dtype == torch.int8
    assert stored[f"{EXPERT}.gate_proj.weight_scale"].dtype == torch.float32
    assert stored[f"{EXPERT}.gate_proj.weight_scale"].shape == (40,)
    assert stored[f"{DENSE}.weight"].dtype == torch.float32
    config = json.loads((tmp_path / "disk" / "config.json").read_text())
    assert config["quantization_config"] == {"quant_method": "experts_int8", "dense": False}
    assert counts["int8_tensors"] == 2 * 4 * 3
    assert counts["int8_parameters"] == 2 * 4 * 3 * 40 * 32
    assert counts["source_bytes"] == sum(weight.nbytes for weight in weights.values())
    assert counts["bytes"] == sum(weight.nbytes for weight in stored.values())


def test_fused_experts_are_quantised_alike(
    tiny: Any, weights: dict[str, Tensor], write: Write
) -> None:
    fused = write(tiny.model.state_dict(), name="fused")
    split = write(weights, name="split")
    first, second = (
        load_model(folder, quantization=ExpertsInt8(), progress=False) for folder in (fused, split)
    )
    assert_same(first, second)


def test_the_scales_are_of_the_stored_weights_whatever_the_model_computes_in(
    weights: dict[str, Tensor], write: Write
) -> None:
    folder = write(weights)
    wide = load_model(folder, quantization=ExpertsInt8(), progress=False)
    narrow = load_model(folder, quantization=ExpertsInt8(), dtype=torch.bfloat16, progress=False)
    name = "model.layers.1.feed_forward.experts.gate_up_scale"
    assert narrow.state_dict()[name].dtype == torch.float32
    assert torch.equal(wide.state_dict()[name], narrow.state_dict()[name])


def test_dense_parts_of_an_int8_artifact_can_follow_later(
    weights: dict[str, Tensor], write: Write, tmp_path: Path
) -> None:
    folder = write(weights)
    quantise_checkpoint(Checkpoint(folder), tmp_path / "experts", ExpertsInt8())
    both = ExpertsInt8(dense=True)
    at_once = load_model(folder, quantization=both, progress=False)
    later = load_model(tmp_path / "experts", quantization=both, progress=False)
    assert_same(at_once, later)
    # what is int8 stays so
    quantise_checkpoint(Checkpoint(tmp_path / "experts"), tmp_path / "both", both)
    kept = load_model(tmp_path / "both", quantization=ExpertsInt8(), progress=False)
    assert kept.quantization == both
    assert_same(at_once, kept)


def test_shards_that_part_a_weight_from_its_scales(
    weights: dict[str, Tensor], write: Write, tmp_path: Path
) -> None:
    source = Checkpoint(write(weights))
    quantise_checkpoint(source, tmp_path / "one", ExpertsInt8())
    quantise_checkpoint(source, tmp_path / "many", ExpertsInt8(), max_shard_bytes=1)
    assert len(list((tmp_path / "many").glob("*.safetensors"))) == len(source.specs) + 24
    one, many = (load_model(tmp_path / name, progress=False) for name in ("one", "many"))
    assert_same(one, many)


def test_weights_that_are_no_numbers_are_named(weights: dict[str, Tensor], write: Write) -> None:
    name = f"{EXPERT}.up_proj.weight"
    broken = weights[name].clone()
    broken[3, 4] = torch.inf
    folder = write({**weights, name: broken})
    with pytest.raises(CheckpointError, match=f"{name}: .*infinite"):
        load_model(folder, quantization=ExpertsInt8(), progress=False)


def test_a_model_without_experts_has_nothing_to_quantise(tiny: Any, tmp_path: Path) -> None:
    config = tiny.config(num_experts=1)
    save_model(JambaLanguageModel(config), tmp_path / "dense")
    with pytest.raises(ConfigError, match="no experts to quantise; dense_layers=true"):
        quantise_checkpoint(Checkpoint(tmp_path / "dense"), tmp_path / "out", ExpertsInt8())
    quantise_checkpoint(Checkpoint(tmp_path / "dense"), tmp_path / "out", ExpertsInt8(dense=True))
    assert load_model(tmp_path / "out", progress=False).quantization == ExpertsInt8(dense=True)


CHILD = """
import sys
from pathlib import Path
import torch
from jamba_reader.model.loading import load_model
from jamba_reader.checkpoints.quantization import quantise_checkpoint
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.row_quantisation.op import MANY, quantise_rows
from jamba_reader.checkpoints.stored import Checkpoint

def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key)) * 1024

folder = Path(sys.argv[1])
quantise_rows(torch.ones(MANY // 256, 256))
# what compiling took is forgotten
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
quantise_checkpoint(Checkpoint(folder), folder / "int8", ExpertsInt8())
print(status("VmHWM") - before)
model = load_model(folder, quantization=ExpertsInt8(), progress=False)
print(status("VmHWM") - before - sum(weight.nbytes for weight in model.state_dict().values()))
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").is_file(), reason="peak memory is read there")
def test_peak_memory_is_the_int8_model_and_one_expert(tiny: Any, tmp_path: Path) -> None:
    config = tiny.config(
        num_hidden_layers=2, num_experts=8, hidden_size=512, intermediate_size=1024
    )
    # 8 experts with three projections of 2 MiB: 48 MiB, of which int8 is a quarter
    save_model(JambaLanguageModel(config), tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    on_disk, loaded = map(int, done.stdout.split())
    assert on_disk < 24 << 20
    assert loaded < 24 << 20
