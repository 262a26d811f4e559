"""Loads a trained encoder with the variant that its manifest names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from spider.artifacts.artifact import open_artifact
from spider.artifacts.folder.generation import steady
from spider.artifacts.records.encoder import EncoderRecord
from spider.artifacts.variants import load_variant
from spider.encoders.encoding import EncodingSettings
from spider.errors import CheckpointError, SettingError
from spider.interfaces import PassageEncoder, QuestionEncoder

FAMILY = "spider.encoders"


@runtime_checkable
class Encoder(QuestionEncoder, PassageEncoder, Protocol):
    """A trained encoder: encodes questions and passages.

    Attributes:
        variant: its file's name in ``spider/encoders/``.
    """

    variant: str


@runtime_checkable
class WindowEncoder(Protocol):
    """An encoder that reads a limited number of tokens of a passage."""

    def count_truncated(self, titles: Sequence[str], texts: Sequence[str]) -> int:
        """Count the passages of which it does not read every token."""


def load_encoder(
    path: Path,
    *,
    device: str = "cpu",
    encoding: EncodingSettings | None = None,
    content_hash: str | None = None,
) -> Encoder:
    """Load a trained encoder.

    Args:
        path: an artifact of kind "encoder".
        device: where a transformer runs: "cpu", "cuda" …, or "auto" for CUDA if there is one.
        encoding: how a transformer encodes; None takes float32 on a CPU and ``auto`` elsewhere.
        content_hash: the content hash that it has to have, if given.

    Raises:
        ArtifactError: there is no such artifact, no such variant, or it is another encoder.
        CheckpointError: the weights do not fit the model that the manifest describes.
        SettingError: there is no such device.
    """
    return steady(path, lambda: _load(path, resolve_device(device), encoding, content_hash))


def _load(
    path: Path, device: str, encoding: EncodingSettings | None, content_hash: str | None
) -> Encoder:
    artifact = open_artifact(path, kind="encoder")
    if content_hash is not None:
        artifact.require_content(content_hash, "this is another encoder now")
    load = load_variant(FAMILY, artifact.variant, what="encoder", where=path)
    record = EncoderRecord.from_manifest(artifact)
    encoder: Encoder = load(path, record, device, encoding)
    if encoder.dimension != record.dimension:
        raise CheckpointError(
            f"{path}: vectors have {encoder.dimension} numbers, the manifest says "
            f"{record.dimension}"
        )
    artifact.require_current()
    return encoder


def resolve_device(device: str) -> str:
    """Return the device where a transformer runs: "cpu" or a CUDA device.

    Raises:
        SettingError: there is no such device.
    """
    if device == "cpu":
        return device
    kind = device.partition(":")[0]
    if kind not in ("auto", "cuda"):
        raise SettingError("device", device, "auto, cpu or cuda")
    import torch

    found = torch.cuda.is_available()
    if kind == "cuda" and not found:
        raise SettingError(
            "device", device, "auto or cpu: no CUDA device is found, see spider doctor"
        )
    return "cpu" if not found else "cuda" if kind == "auto" else device
