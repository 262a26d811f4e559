import logging

import pytest
import torch

from jamba_reader.ops import selection
from jamba_reader.ops.selection import select
from spider.errors import ConfigError, MissingDependencyError

CPU = torch.device("cpu")
CUDA = torch.device("cuda")


def choose(requested: str, device: torch.device = CPU, **options: object) -> str:
    settings = {"dtype": torch.float32, **options}
    return select("scan", requested, device=device, **settings)


def test_auto_goes_by_the_device() -> None:
    assert choose("auto") == "cpu"
    assert choose("auto", CUDA) == "triton"
    assert choose("auto", torch.device("meta")) == "reference"
    assert choose("auto", CUDA, available=("reference", "triton", "mamba_ssm")) == "mamba_ssm"
    assert choose("auto", available=("reference",)) == "reference"


def test_float64_has_the_reference_only() -> None:
    assert choose("auto", dtype=torch.float64) == "reference"


def test_cuda_without_triton_takes_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "triton_is_installed", lambda: False)
    assert choose("auto", CUDA) == "reference"
    with pytest.raises(MissingDependencyError, match="triton"):
        choose("triton", CUDA)


def test_triton_on_a_cpu_is_refused_unless_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "triton_is_installed", lambda: True)
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(ConfigError, match="needs a GPU and the operands are on cpu"):
        choose("triton")
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    assert choose("triton") == "triton"


@pytest.mark.parametrize(
    ("requested", "device"), [("cpu", CUDA), ("mamba_ssm", CPU)], ids=["cpu", "mamba_ssm"]
)
def test_kernels_of_another_device_are_refused(requested: str, device: torch.device) -> None:
    with pytest.raises(ConfigError, match=f"kernels={requested}"):
        choose(requested, device, available=("reference", "cpu", "triton", "mamba_ssm"))


def test_what_an_operation_lacks_is_refused() -> None:
    with pytest.raises(ConfigError, match="scan has reference, cpu"):
        choose("triton", available=("reference", "cpu"))


def test_the_choice_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    selection._say_once.cache_clear()
    with caplog.at_level(logging.INFO):
        choose("auto")
        choose("auto")
        choose("auto", available=("reference",))
    assert caplog.messages == ["Jamba on cpu: numba kernels", "scan on cpu: reference kernels"]
