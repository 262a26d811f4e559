"""The device that a setting names."""

import torch

from spider.errors import ConfigError


def find_device(name: str) -> torch.device:
    """Return the device of a name; ``auto`` is the first GPU, or the CPU without one.

    Raises:
        ConfigError: the name is not that of a device of this machine.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"device={name}: expected auto, cpu or cuda") from error
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"device={name}: expected auto, cpu or cuda")
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= found:
        raise ConfigError(f"device={name}: no such CUDA device is found; spider doctor says why")
    return device
