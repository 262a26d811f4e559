"""Names of devices."""

import pytest
import torch

from jamba_reader.model.devices import find_device
from spider.errors import ConfigError


@pytest.mark.parametrize(("gpus", "expected"), [(0, "cpu"), (2, "cuda")])
def test_auto_is_the_gpu_if_there_is_one(
    monkeypatch: pytest.MonkeyPatch, gpus: int, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert find_device("auto") == torch.device(expected)
    assert find_device("cpu") == torch.device("cpu")
    for name, there in (("cuda", gpus > 0), ("cuda:1", gpus > 1), ("cuda:2", False)):
        if there:
            assert find_device(name) == torch.device(name)
        else:
            with pytest.raises(ConfigError, match=f"device={name}: no such CUDA device"):
                find_device(name)


@pytest.mark.parametrize("name", ["tpu9", "meta", "mps", ""])
def test_other_devices_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"device={name}: expected auto, cpu or cuda"):
        find_device(name)
