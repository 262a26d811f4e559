"""The teacher: a transformer that is copied into the artifact, where it encodes questions."""

from pathlib import Path
from typing import NamedTuple

from torch import nn

from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.folder.manifest import MANIFEST
from spider.artifacts.records.encoder import EncoderRecord
from spider.artifacts.variants import load_variant
from spider.encoders.distillation.layout import QUESTIONS
from spider.encoders.encoding import EncodingSettings
from spider.encoders.loading import FAMILY, Encoder, resolve_device
from spider.encoders.trainable import EncoderSettings, TrainableEncoder
from spider.errors import CheckpointError

TOKENIZER = "tokenizer"


class Teacher(NamedTuple):
    """A loaded teacher.

    Attributes:
        module: the transformer, which encodes token ids.
        encoder: the copy in the artifact, which encodes texts.
        record: its details.
        variant: its file's name in ``spider/encoders/``.
    """

    module: TrainableEncoder
    encoder: Encoder
    record: EncoderRecord
    variant: str


def teacher_artifact(source: str) -> Artifact | None:
    """Return the encoder artifact in a folder; None for another folder or a name.

    Raises:
        CheckpointError: it has a table for its passages, which cannot teach.
    """
    folder = Path(source).expanduser()
    if not (folder / MANIFEST).is_file():
        return None
    artifact = open_artifact(folder, kind="encoder")
    record = EncoderRecord.from_manifest(artifact)
    if record.question_tower is not None:
        raise CheckpointError(
            f"{folder}: got a student, expected a transformer; give its own teacher, "
            f"{folder / QUESTIONS}"
        )
    if record.max_length is None:
        raise CheckpointError(
            f"{folder}: got a table ({artifact.variant}), which is as fast as its student would "
            "be; give a transformer, or use this encoder as it is"
        )
    return artifact


def settle_teacher(
    settings: EncoderSettings, folder: Path, *, device: str, encoding: EncodingSettings
) -> Teacher:
    """Copy the teacher into ``folder/questions`` and load the copy.

    Args:
        settings: an architecture that starts from the teacher's weights.
        folder: the artifact.
        device: where the copy runs.
        encoding: how it encodes.
    """
    for name in (TOKENIZER, QUESTIONS):
        (folder / name).mkdir(exist_ok=True)
    tokenizer = settings.tokenizer([], folder / TOKENIZER)
    module = settings.build(tokenizer, seed=0)
    if isinstance(module, nn.Module):
        module.eval()
    record = module.export(folder / QUESTIONS)
    encoder = load_question_tower(
        folder, record, settings.variant, device=resolve_device(device), encoding=encoding
    )
    return Teacher(module, encoder, record, settings.variant)


def load_question_tower(
    folder: Path,
    record: EncoderRecord,
    variant: str,
    *,
    device: str,
    encoding: EncodingSettings | None,
) -> Encoder:
    """Load what :func:`settle_teacher` copied.

    Raises:
        ArtifactError: there is no such variant.
        CheckpointError: its files do not fit its record.
    """
    load = load_variant(FAMILY, variant, what="encoder", where=folder)
    encoder: Encoder = load(folder / QUESTIONS, record, device, encoding)
    return encoder
