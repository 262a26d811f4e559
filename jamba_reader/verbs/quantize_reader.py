"""The verb ``quantize-reader``: a Jamba checkpoint → a reader with int8 experts."""

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spider.artifacts.artifact import MANIFEST, open_artifact
from spider.artifacts.records.reader import ReaderRecord
from spider.artifacts.stage import Stage
from spider.encoders.start_files import fingerprint_start_files
from spider.errors import ConfigError
from spider.launch.entrypoint import launch
from spider.memory import in_words

MEGABYTE = 1_000_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class QuantizeConfig:
    """Settings of ``quantize-reader``.

    Attributes:
        model: a folder with a Jamba checkpoint in any layout, a reader artifact, or a name on the
            hub.
        output: where the reader is written.
        dense_layers: int8 feed-forward parts in the layers without experts too.
        shard_megabytes: size of a weight file, unless one tensor is larger.
        revision: commit, tag or branch, where the model is a name on the hub.
        overwrite: replace a reader made from another model or with other settings.
        resolved: filled by the launcher.
    """

    model: str
    output: Path
    dense_layers: bool = False
    shard_megabytes: int = 5000
    revision: str | None = None
    overwrite: bool = False
    resolved: dict[str, Any] = field(default_factory=dict)


def main(config: QuantizeConfig) -> None:
    """Write the int8 reader, or find that it is up to date.

    Raises:
        CheckpointError: the model is missing, damaged, or no Jamba.
        ConfigError: a setting is out of range, or the disk is too small.
    """
    if config.shard_megabytes < 1:
        raise ConfigError(f"shard_megabytes={config.shard_megabytes}: expected at least 1")
    from jamba_reader.checkpoints.location import find_checkpoint
    from jamba_reader.checkpoints.quantization import joint_quantization, quantise_checkpoint
    from jamba_reader.checkpoints.stored import Checkpoint
    from jamba_reader.ops.row_quantisation.format import ExpertsInt8
    from spider.text.tokenizer import TOKENIZER_FILE

    source = Checkpoint(find_checkpoint(config.model, revision=config.revision))
    files = [*source.weight_files, *source.small_files]
    parents = {}
    if (source.folder / MANIFEST).is_file():
        parents["model"] = open_artifact(source.folder, kind="reader")
    stage = Stage(
        verb="quantize-reader",
        kind="reader",
        output=config.output,
        # where the model lies is no part of what comes out
        config={name: value for name, value in config.resolved.items() if name != "model"},
        inputs=parents,
        overwrite=config.overwrite,
        fingerprint_extra=fingerprint_start_files(map(str, files)),
    )
    if stage.up_to_date():
        return
    if not (source.folder / TOKENIZER_FILE).is_file():
        logger.warning(
            "%s: no tokenizer here, so %s will have none; put the model's %s there before you "
            "generate with it",
            source.folder,
            config.output,
            TOKENIZER_FILE,
        )
    quantization = joint_quantization(source.quantization, ExpertsInt8(dense=config.dense_layers))
    with stage.writing() as folder:
        counts = quantise_checkpoint(
            source, folder, quantization, max_shard_bytes=config.shard_megabytes * MEGABYTE
        )
        stage.finish(counts=counts, details=ReaderRecord(quantization=quantization.to_mapping()))
    logger.info(
        "%s: %s of weights became %s, %.0f%% of them int8",
        config.output,
        in_words(counts["source_bytes"]),
        in_words(counts["bytes"]),
        100 * counts["int8_parameters"] / counts["parameters"],
    )


if __name__ == "__main__":
    launch(main, verb="quantize-reader")
