from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from spider.encoders.weights import check_weights, load_weights, report_misfit
from spider.errors import CheckpointError


@pytest.mark.parametrize("name", ["w.safetensors", "w.bin"])
def test_both_formats_give_the_same_tensors(name: str, tmp_path: Path) -> None:
    tensors = {"a": torch.arange(3.0), "b": torch.ones(2, 2)}
    write = save_file if name.endswith("safetensors") else torch.save
    write(tensors, tmp_path / name)
    loaded = load_weights(tmp_path / name)
    assert loaded.keys() == tensors.keys()
    assert all(torch.equal(loaded[key], tensors[key]) for key in tensors)


@pytest.mark.parametrize("name", ["none.safetensors", "none.bin"])
def test_a_missing_file_is_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no readable weights"):
        load_weights(tmp_path / name)


def test_a_damaged_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"junk")
    with pytest.raises(CheckpointError, match="no readable weights"):
        load_weights(tmp_path / "w.safetensors")


def test_every_kind_of_misfit_is_named() -> None:
    got = {"a": torch.ones(2), "extra": torch.ones(1)}
    check_weights({"a": (2,), "extra": (1,)}, got, Path("here"))
    with pytest.raises(CheckpointError) as caught:
        check_weights({"a": (3,), "b": (1,)}, got, Path("here"))
    assert str(caught.value) == (
        "here: weights do not fit the model; missing: b; unexpected: extra; "
        "shape: a is (2,), expected (3,)"
    )


def test_long_lists_are_cut() -> None:
    with pytest.raises(CheckpointError, match=r"missing: n0, n1, n2, n3 and 3 more$"):
        report_misfit([f"n{number}" for number in range(7)], [], [], "here")
    report_misfit([], [], [], "here")
