import os
from collections.abc import Callable
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
    with pytest.raises(CheckpointError, match=rf"{name}: no such file"):
        load_weights(tmp_path / name)


def header(text: str, data: bytes = b"") -> bytes:
    return len(text.encode()).to_bytes(8, "little") + text.encode() + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        b"\xff" * 8 + b"{}",
        header("{"),
        header("[" * 10_000),
        header('{"a": 1}'),
        header('{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}', b"\0" * 7),
        header('{"a": {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]}}', b"\0" * 8),
        header('{"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}', b"\0" * 8),
        header(
            '{"a": {"dtype": "F32", "shape": [4294967296, 4294967296, 2], "data_offsets": [0, 8]}}',
            b"\0" * 8,
        ),
    ],
)
@pytest.mark.parametrize("name", ["w.safetensors", "w.bin", "w.pt"])
def test_a_damaged_file_is_one_line(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"{name}: ") as caught:
        load_weights(tmp_path / name)
    assert "\n" not in str(caught.value)


class Code:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("exit 3",)


@pytest.mark.parametrize("content", [Code(), {"a": Code()}, {"a": 1}, [torch.ones(1)]])
def test_a_pytorch_file_of_something_else_is_refused(content: object, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "w.bin")
    with pytest.raises(CheckpointError, match=r"w\.bin: ") as caught:
        load_weights(tmp_path / "w.bin")
    assert "weights_only" not in str(caught.value)
    assert "\n" not in str(caught.value)


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
