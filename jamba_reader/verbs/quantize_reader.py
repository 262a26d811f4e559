"""Verb ``quantize-reader``: a Jamba checkpoint → a reader with int8 experts."""

import logging
from dataclasses import dataclass
from typing import ClassVar

from spider.artifacts.artifact import open_artifact
from spider.artifacts.folder.manifest import MANIFEST
from spider.artifacts.records.reader import ReaderRecord
from spider.artifacts.stage import Stage
from spider.encoders.start_files import fingerprint_start_files
from spider.errors import SettingError
from spider.launch.entrypoint import launch
from spider.launch.settings import StageSettings
from spider.memory import in_words
from spider.settings import Execution

MEGABYTE = 1_000_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class QuantizeReaderSettings(StageSettings):
    """Settings of ``spider quantize-reader``.

    Attributes:
        model: a folder with a Jamba checkpoint in any layout, a reader artifact, or a name on the
            hub.
        dense_layers: store the feed-forward parts of layers without experts as int8 too.
        shard_megabytes: size of a weight file, unless one tensor is larger.
        revision: commit, tag or branch, where the model is a name on the hub.
    """

    positionals: ClassVar = ("model",)

    # the content of the model decides the output, not its path
    model: Execution[str]
    dense_layers: bool = False
    shard_megabytes: int = 5000
    revision: str | None = None

    def __post_init__(self) -> None:
        """Refuse a size below 1."""
        if self.shard_megabytes < 1:
            raise SettingError("shard_megabytes", self.shard_megabytes, "at least 1")


def main(settings: QuantizeReaderSettings) -> None:
    """Write the int8 reader, unless it is up to date.

    Raises:
        CheckpointError: the model is missing, damaged, or not a Jamba model.
        ConfigError: the disk is too small.
    """
    from jamba_reader.checkpoints.location import find_checkpoint
    from jamba_reader.checkpoints.quantization import (
        joint_quantization,
        quantise_checkpoint,
        quantization_card,
    )
    from jamba_reader.checkpoints.stored import Checkpoint
    from jamba_reader.ops.row_quantisation.format import ExpertsInt8
    from spider.artifacts.model_card import CARD
    from spider.text.tokenizer import TOKENIZER_FILE

    source = Checkpoint(find_checkpoint(settings.model, revision=settings.revision))
    files = [*source.weight_files, *source.small_files]
    parents = {}
    if (source.folder / MANIFEST).is_file():
        parents["model"] = open_artifact(source.folder, kind="reader")
    stage = Stage(
        verb="quantize-reader",
        kind="reader",
        output=settings.output,
        config=settings.resolved,
        inputs=parents,
        overwrite=settings.overwrite,
        fingerprint_extra=fingerprint_start_files(map(str, files)),
    )
    if stage.up_to_date():
        return
    if not (source.folder / TOKENIZER_FILE).is_file():
        logger.warning(
            "%s: no tokenizer here, so %s will have none; put the model's %s there before you "
            "generate with it",
            source.folder,
            settings.output,
            TOKENIZER_FILE,
        )
    quantization = joint_quantization(source.quantization, ExpertsInt8(dense=settings.dense_layers))
    with stage.writing() as folder:
        counts = quantise_checkpoint(
            source, folder, quantization, max_shard_bytes=settings.shard_megabytes * MEGABYTE
        )
        quantization_card(counts, quantization).save(folder)
        record = ReaderRecord(quantization=quantization.to_mapping())
        stage.finish(counts=counts, details=record, unhashed=[CARD])
    logger.info(
        "%s: %s of weights became %s, %.0f%% of them int8",
        settings.output,
        in_words(counts["source_bytes"]),
        in_words(counts["bytes"]),
        100 * counts["int8_parameters"] / counts["parameters"],
    )


if __name__ == "__main__":
    launch(main, verb="quantize-reader")
