"""Embeds a corpus: plans shards, reuses known vectors, encodes the others, writes the artifact."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from index.embeddings.embeddings import Embeddings
from index.embeddings.settings import EmbeddingSettings
from index.embeddings.shards import ArtifactKey, ShardEncoder, forget
from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.records.embeddings import EmbeddingsRecord
from spider.artifacts.records.encoder import EncoderRecord
from spider.artifacts.shards import COUNTS, run_shards, shard_folder
from spider.artifacts.stage import Stage
from spider.corpus.corpus import Corpus
from spider.errors import ArtifactError
from spider.printable import counted
from spider.progress import Progress

logger = logging.getLogger(__name__)


def embed_corpus(
    settings: EmbeddingSettings | None = None,
    *,
    corpus: Path,
    encoder: Path,
    output: Path,
    overwrite: bool = False,
    resolved: Mapping[str, Any] | None = None,
) -> Artifact:
    """Write the embeddings artifact, or return it when it is up to date.

    A run that was killed continues with its unfinished shard. Vectors of unchanged passages are
    reused from an older artifact of the same encoder in ``output``.

    Args:
        settings: the shards, and the device and processes; None takes the defaults.
        corpus: artifact of passages.
        encoder: artifact of an encoder.
        output: folder of the embeddings.
        overwrite: replace embeddings made from other settings or inputs.
        resolved: the configuration to record.
    """
    settings = settings or EmbeddingSettings()
    passages = Corpus.open(corpus)
    trained = open_artifact(encoder, kind="encoder")
    stage = Stage(
        verb="embed",
        kind="embeddings",
        output=output,
        config={
            "shard_size": settings.shard_size,
            "encoding": {"precision": settings.encoding.precision},
            **(resolved or {}),
        },
        inputs={"corpus": passages.artifact, "encoder": trained},
        overwrite=overwrite,
    )
    if stage.up_to_date():
        return open_artifact(output, kind="embeddings")
    tasks = [
        (start, min(start + settings.shard_size, len(passages)))
        for start in range(0, len(passages), settings.shard_size)
    ]
    work = ShardEncoder(
        corpus=(corpus, passages.artifact.content_hash),
        encoder=(encoder, trained.content_hash),
        device=settings.device,
        encoding=settings.encoding,
    )
    precision = work.precision()
    work = replace(work, previous=_reusable(stage, trained, precision))
    with stage.writing() as folder:
        counts, rate = _run(folder, tasks, work, settings.processes, len(passages))
        return stage.finish(
            counts=counts,
            details=_record(trained, len(passages), settings.shard_size, precision),
            volatile={"passages_per_second": rate},
        )


def _run(
    folder: Path, tasks: list[tuple[int, int]], work: ShardEncoder, processes: int, passages: int
) -> tuple[dict[str, int], float]:
    resumed = sum(
        end - start
        for number, (start, end) in enumerate(tasks)
        if (shard_folder(folder, number) / COUNTS).is_file()
    )
    try:
        with Progress(total=passages, unit="passages", label="embed") as progress:
            progress.resume_at(resumed)
            skipped = resumed

            def on_done(number: int, shard_counts: dict[str, int]) -> None:
                nonlocal skipped
                if skipped > 0:  # shards that were complete are reported first
                    skipped -= shard_counts["passages"]
                else:
                    progress.advance(shard_counts["passages"])

            done = run_shards(folder, tasks, work, processes=processes, on_done=on_done)
            rate = round(progress.rate, 1)
        reused = work.count_reused()
    finally:
        forget()
    counts = {"passages": passages, "encoded": passages - reused, "reused": reused}
    if truncated := sum(shard.get("passages_truncated", 0) for shard in done):
        counts["passages_truncated"] = truncated
        logger.warning(
            "longer than the encoder reads: %d of %s; the rest of each is not in its vector; "
            "shorter passages (splitter.words) avoid this",
            *(truncated, counted(passages, "passage")),
        )
    return counts, rate


def _reusable(stage: Stage, trained: Artifact, precision: str | None) -> ArtifactKey | None:
    """Return the artifact that is replaced, if its encoder and its precision are the same.

    ``auto`` may choose another precision on another machine.
    """
    previous = stage.previous
    if previous is None or previous.parent_hash("encoder") != trained.content_hash:
        return None
    if previous.config.get("encoding") != stage.config["encoding"]:
        return None
    try:
        if EmbeddingsRecord.from_manifest(previous).precision != precision:
            return None
        Embeddings(previous)
    except (ArtifactError, OSError) as error:
        logger.warning("no vectors of %s are reused: %s", previous.path, error)
        return None
    return previous.path, previous.content_hash


def _record(
    trained: Artifact, passages: int, shard_size: int, precision: str | None
) -> EmbeddingsRecord:
    encoder = EncoderRecord.from_manifest(trained)
    return EmbeddingsRecord(
        dimension=encoder.dimension,
        similarity=encoder.similarity,
        score_scale=encoder.score_scale,
        dtype="float16",
        passages=passages,
        shard_size=shard_size,
        precision=precision,
    )
