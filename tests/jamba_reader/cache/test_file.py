"""A cache on disk: the same afterwards, and refused if damaged or another model's."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from jamba_reader.cache.cache import Cache
from jamba_reader.cache.file import ABOUT, _as_bytes, load_cache, save_cache
from jamba_reader.config import JambaConfig
from jamba_reader.ops.segments import Segments
from spider.errors import CheckpointError

CONFIG = JambaConfig(
    vocab_size=64, hidden_size=16, intermediate_size=8, num_hidden_layers=3, num_attention_heads=2,
    num_key_value_heads=2, attn_layer_period=3, attn_layer_offset=1, mamba_d_state=4,
    mamba_dt_rank=2, num_experts=1,
)  # fmt: skip


def filled(dtype: torch.dtype = torch.bfloat16, config: JambaConfig = CONFIG) -> Cache:
    """Two sequences of 5 and 2 tokens, with reserved space."""
    cache = Cache.empty(config, 2, dtype=dtype, capacity=9)
    torch.manual_seed(0)
    segments = Segments([5, 2])
    for layer, memory in cache.memories.items():
        rows = torch.randn(7, config.num_key_value_heads, config.head_dim).to(dtype)
        cache.memories[layer] = memory.append(rows, 2 * rows, segments)
    for mamba in cache.mamba.values():
        mamba.state.normal_()
        mamba.history.normal_()
    cache.advance(segments)
    return cache


def check_equal(found: Cache, expected: Cache) -> None:
    assert found.lengths == expected.lengths
    for layer, mamba in expected.mamba.items():
        assert torch.equal(found.mamba[layer].state, mamba.state)
        assert torch.equal(found.mamba[layer].history, mamba.history)
    for layer, memory in expected.memories.items():
        assert found.memories[layer].lengths == memory.lengths
        for sequence, length in enumerate(memory.lengths):
            for name in ("keys", "values"):
                ours = getattr(found.memories[layer], name)[sequence, :, :length]
                assert torch.equal(ours, getattr(memory, name)[sequence, :, :length])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("only", [None, "mamba", "attention"])
def test_what_is_loaded_is_what_was_saved(
    tmp_path: Path, dtype: torch.dtype, only: str | None
) -> None:
    period, offset = {None: (3, 1), "mamba": (50, 40), "attention": (1, 0)}[only]
    config = replace(CONFIG, attn_layer_period=period, attn_layer_offset=offset)
    assert only is None or set(config.mixers) == {only}
    cache = filled(dtype, config)
    save_cache(cache, tmp_path / "a", config, weights="abc")
    loaded = load_cache(tmp_path / "a", config, weights="abc", capacity=30)
    check_equal(loaded, cache)
    assert all(memory.capacity == 30 for memory in loaded.memories.values())
    assert all(mamba.state.dtype == torch.float32 for mamba in loaded.mamba.values())
    check_equal(load_cache(tmp_path / "a", config, weights="abc"), cache)


def test_spare_room_is_not_written(tmp_path: Path) -> None:
    cache = filled()
    save_cache(cache, tmp_path / "small", CONFIG)
    cache.reserve(10_000)
    save_cache(cache, tmp_path / "large", CONFIG)
    assert (tmp_path / "small").stat().st_size == (tmp_path / "large").stat().st_size


def test_a_byte_changed_anywhere_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    save_cache(filled(), path, CONFIG)
    whole = path.read_bytes()
    start = 8 + int.from_bytes(whole[:8], "little")
    for place in (3, 20, start, start + 1000, len(whole) - 40, len(whole) - 1):
        changed = bytearray(whole)
        changed[place] ^= 0x08
        path.write_bytes(changed)
        with pytest.raises(CheckpointError) as caught:
            load_cache(path, CONFIG)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_every_byte_of_the_record_counts(tmp_path: Path) -> None:
    path = tmp_path / "a"
    save_cache(filled(), path, CONFIG)
    tensors = load_file(path)
    whole = tensors[ABOUT].clone()
    for place in range(0, len(whole), 5):
        tensors[ABOUT] = whole.clone()
        tensors[ABOUT][place] ^= 1
        save_file(tensors, path)
        with pytest.raises(CheckpointError, match="bytes of about"):
            load_cache(path, CONFIG)


@pytest.mark.parametrize(
    "change",
    [
        {"lengths": lengths}
        for lengths in (
            [2**40, 2], [2**80, 2], [6, 2], [5.0, 2], ["5", 2], [5, None], [-1, 2], [5], [5, 2, 0],
            [], "52", None,
        )
    ]
    + [{"config": ["mamba"]}, {"config": None}, {"crc32": []}, {"crc32": None}, {"crc32": {}}],
    ids=str,
)  # fmt: skip
def test_a_record_of_other_things_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    """Whole bytes of a wrong writer: nothing is allocated for what they claim."""
    path = tmp_path / "a"
    save_cache(filled(), path, CONFIG)
    tensors = load_file(path)
    about = json.loads(tensors[ABOUT].numpy().tobytes().split(b"\n")[0])
    save_file({**tensors, ABOUT: _as_bytes({**about, **change})}, path)
    with pytest.raises(CheckpointError) as caught:
        load_cache(path, CONFIG)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    save_cache(filled(), path, CONFIG)
    whole = path.read_bytes()
    for length in (0, 5, 300, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="not a complete safetensors file"):
            load_cache(path, CONFIG)
    with pytest.raises(CheckpointError, match="missing"):
        load_cache(tmp_path / "missing", CONFIG)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mamba_d_state": 8}, "mamba_d_state is 4, expected 8"),
        ({"rms_norm_eps": 1e-5}, "rms_norm_eps is 1e-06, expected 1e-05"),
        ({"attn_layer_offset": 2}, "attn_layer_offset is 1, expected 2"),
    ],
)
def test_another_models_cache_is_refused(
    tmp_path: Path, change: dict[str, float], message: str
) -> None:
    save_cache(filled(), tmp_path / "a", CONFIG)
    with pytest.raises(CheckpointError, match=message):
        load_cache(tmp_path / "a", replace(CONFIG, **change))


def test_other_weights_are_refused(tmp_path: Path) -> None:
    save_cache(filled(), tmp_path / "a", CONFIG, weights="abc")
    for weights in ("abd", ""):
        with pytest.raises(CheckpointError, match="made with the weights 'abc'"):
            load_cache(tmp_path / "a", CONFIG, weights=weights)


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jamba_reader.cache.file.VERSION", 3)
    save_cache(filled(), tmp_path / "a", CONFIG)
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match="version 3, expected 2"):
        load_cache(tmp_path / "a", CONFIG)


def test_a_checkpoint_is_not_a_cache(tmp_path: Path) -> None:
    save_file({"weight": torch.ones(3)}, tmp_path / "a")
    with pytest.raises(CheckpointError, match="not a cache"):
        load_cache(tmp_path / "a", CONFIG)
