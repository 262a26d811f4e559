"""The script for a borrowed GPU runs whole on a CPU, says what fails and goes on where it was."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.jamba_gpu.__main__ import PARTS
from benchmarks.jamba_gpu.run import Results, error_by_norm


@pytest.mark.slow
@pytest.mark.untraced
def test_a_dry_run_of_every_part_succeeds(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.jamba_gpu", "all", "--dry-run"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for part in PARTS:
        record = json.loads((tmp_path / f"{part}.json").read_text(encoding="utf-8"))
        assert record["dry_run"]
        assert record["steps"]
    kernels = json.loads((tmp_path / "kernels.json").read_text(encoding="utf-8"))["steps"]
    assert all(step["passed"] for step in kernels.values())
    names = " ".join(kernels)
    for kernel in ("scan", "convolution", "norm", "gated", "decode", "experts int8", "linear"):
        assert kernel in names


def test_without_a_gpu_it_says_so(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    command = [sys.executable, "-m", "benchmarks.jamba_gpu", "scan", "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no GPU here: expected CUDA, or --dry-run" in done.stderr


def test_a_step_that_is_done_is_not_done_again(tmp_path: Path) -> None:
    def broken() -> dict[str, object]:
        raise RuntimeError("out of memory")

    made = {"part": "part", "made": {"commit": "0123456789ab"}}
    first = Results(tmp_path / "part.json", made)
    first.step("good", lambda: {"value": 1})
    first.step("bad", broken)
    first.step("wrong", lambda: {"passed": False})
    again = Results(tmp_path / "part.json", {})
    again.step("good", broken)
    assert again.record["part"] == "part"
    assert again.record["steps"]["good"]["value"] == 1
    assert again.record["steps"]["bad"]["failed"] == "RuntimeError: out of memory"
    assert again.failures == ["bad", "wrong"]
    assert again.record["steps"]["good"]["commit"] == "0123456789ab"


def test_a_step_that_failed_is_done_again(tmp_path: Path) -> None:
    def broken() -> dict[str, object]:
        raise RuntimeError("out of memory")

    first = Results(tmp_path / "part.json", {"made": {"commit": "old"}})
    first.step("good", lambda: {"value": 1})
    first.step("bad", broken)
    first.step("wrong", lambda: {"passed": False})
    mended = Results(tmp_path / "part.json", {"made": {"commit": "new"}})
    mended.step("good", broken)
    mended.step("bad", lambda: {"value": 2})
    mended.step("wrong", lambda: {"passed": True})
    assert not mended.failures
    steps = Results(tmp_path / "part.json", {}).record["steps"]
    assert [steps[name]["commit"] for name in ("good", "bad", "wrong")] == ["old", "new", "new"]
    assert "failed" not in steps["bad"]


def test_late_steps_are_left_for_the_next_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Results.step.__globals__, "LONGEST_START", -1.0)
    results = Results(tmp_path / "part.json", {})
    results.step("late", lambda: {"value": 1})
    assert results.left_out == ["late"]
    assert not results.record["steps"]


def test_an_unwritten_element_is_no_small_error() -> None:
    expected = torch.tensor([3.0, 4.0])
    assert error_by_norm(torch.tensor([3.0, 4.5]), expected) == pytest.approx(0.1)
    assert error_by_norm(torch.tensor([3.0, torch.nan]), expected) > 1e200
