"""Checks that the weights of a start fit in memory, before they are read."""

from collections.abc import Sequence
from pathlib import Path

from spider.errors import ConfigError
from spider.memory import available_memory
from spider.reading import read_json_object

HALF = ("float16", "bfloat16")
PATTERNS = ("*.safetensors", "pytorch_model*.bin")


def check_memory(folders: Sequence[Path], available: int | None = None) -> None:
    """Refuse weights that are larger than the available memory.

    Args:
        folders: the folders of the transformers.
        available: bytes; None asks the machine.

    Raises:
        ConfigError: they do not fit.
    """
    needed = sum(_float32_bytes(folder) for folder in folders)
    free = available_memory() if available is None else available
    if free is not None and needed > free:
        raise ConfigError(
            f"{folders[0]}: its weights need {needed / 2**30:.1f} GiB of memory as float32, and "
            f"{free / 2**30:.1f} GiB are available; start from a smaller encoder"
        )


def _float32_bytes(folder: Path) -> int:
    path = folder / "config.json"
    config = read_json_object(path) if path.is_file() else {}
    kind = config.get("dtype") or config.get("torch_dtype")
    for pattern in PATTERNS:
        size = sum(file.stat().st_size for file in folder.glob(pattern))
        if size:
            return size * (2 if kind in HALF else 1)
    return 0
