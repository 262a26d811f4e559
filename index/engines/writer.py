"""Builds an index of the local engine: dense part, sparse part, and their fusion."""

import logging
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from index.doubt.calibration import calibrate
from index.engines import preflight
from index.engines.contract import Ranker
from index.engines.hybrid import HybridRetriever
from index.engines.local import DENSE, SPARSE, VARIANT, open_rankers
from index.engines.opening import ENCODER_PATH
from index.engines.parts import IndexParts, check_parts
from index.engines.question_words import settle_question_words
from index.engines.weight_tuning import settle_weight
from index.fusion.contract import load_fusion
from index.sparse.contract import load_made_with
from spider.artifacts.artifact import Artifact, open_artifact
from spider.artifacts.atomic_files import flush_tree, write_json
from spider.artifacts.records.encoder import EncoderRecord
from spider.artifacts.records.index import EncoderReference, IndexRecord
from spider.artifacts.stage import Stage
from spider.encoders.loading import load_encoder
from spider.errors import ArtifactError
from spider.progress import Progress
from spider.reading import read_json_object

logger = logging.getLogger(__name__)


def build_index(
    parts: IndexParts,
    output: Path,
    *,
    config: Mapping[str, Any] | None = None,
    device: str = "cpu",
    overwrite: bool = False,
) -> Artifact:
    """Build an index artifact, or return it when it is up to date.

    A complete part of an interrupted run is kept; an incomplete one is built again.

    Args:
        parts: the parts that it is built from.
        output: folder of the index.
        config: the resolved configuration to record; an index recorded with another one is
            out of date.
        device: device on which a transformer encodes the queries that choose the fusion's weight.
        overwrite: replace an index made from other settings or inputs.

    Raises:
        ArtifactError: the parts do not fit together, or ``output`` was made from other settings or
            inputs.
        ConfigError: there is nothing to build, or too little disk or memory for it.
        MissingDependencyError: a library, or a JVM, is missing.
    """
    check_parts(parts)
    stage = Stage(
        verb="build",
        kind="index",
        output=output,
        config=config or {},
        inputs=parts.inputs(),
        overwrite=overwrite,
    )
    if stage.up_to_date():
        return open_artifact(output, kind="index")
    return _write(stage, parts, device)


def _write(stage: Stage, parts: IndexParts, device: str) -> Artifact:
    _preflight(stage, parts)
    with stage.writing() as folder:
        dense = sparse = None
        if parts.embeddings is not None and parts.dense is not None:
            embeddings, index = parts.embeddings, parts.dense
            dense = _part(folder, DENSE, parts, lambda at, bar: index.build(embeddings, at, bar))
        if parts.sparse is not None:
            engine, corpus = parts.sparse, parts.corpus
            sparse = _part(folder, SPARSE, parts, lambda at, bar: engine.build(corpus, at, bar))
        question_words = settle_question_words(parts.question_words, sparse)
        encoder = None if parts.embeddings is None else parts.embeddings.artifact.parent("encoder")

        def opened() -> dict[str, Ranker]:
            loaded = None if encoder is None else load_encoder(encoder.path, device=device)
            return open_rankers(
                folder, dense=dense, sparse=sparse, encoder=loaded, question_words=question_words
            )

        fusion = None
        if dense is not None and sparse is not None and encoder is not None:
            fusion = settle_weight(
                parts.fusion,
                tuning=parts.tuning,
                corpus=parts.corpus,
                spans=parts.spans,
                score_scale=EncoderRecord.from_manifest(encoder).score_scale,
                open_rankers=opened,
            )
        match = calibrate(
            folder,
            corpus=parts.corpus,
            spans=parts.spans,
            fewest=parts.tuning.fewest,
            seed=parts.tuning.seed,
            open_engine=lambda: HybridRetriever(
                rankers=opened(), fusion=None if fusion is None else load_fusion(fusion)
            ),
        )
        record = IndexRecord(
            passages=len(parts.corpus),
            encoder=None if encoder is None else _reference(encoder),
            dense=dense,
            sparse=sparse,
            fusion=fusion,
            match=match,
            question_words=question_words,
        )
        counts = {"passages": len(parts.corpus), "documents": parts.corpus.n_documents}
        # the path of the encoder is not content, so it is not part of the hash
        place = None if encoder is None else os.path.relpath(encoder.path, stage.output)
        return stage.finish(
            counts=counts,
            variant=VARIANT,
            details=record,
            volatile={ENCODER_PATH: place, SPARSE: load_made_with(folder / SPARSE)},
            unhashed=[SPARSE],
        )


def _part(
    folder: Path,
    name: str,
    parts: IndexParts,
    make: Callable[[Path, Progress], Mapping[str, Any]],
) -> dict[str, Any]:
    record = folder / f"{name}.json"
    if record.is_file():
        logger.info("the %s part is complete already", name)
    else:
        if (folder / name).exists():
            shutil.rmtree(folder / name)
        (folder / name).mkdir()
        total = len(parts.corpus)
        with Progress(total=total, unit="passages", label=f"{name} index") as progress:
            made = make(folder / name, progress)
            flush_tree(folder / name)
            write_json(record, made)
    return read_json_object(record, error=ArtifactError)


def _reference(encoder: Artifact) -> EncoderReference:
    return EncoderReference(content_hash=encoder.content_hash, variant=encoder.variant)


def _preflight(stage: Stage, parts: IndexParts) -> None:
    dense = parts.embeddings is not None and parts.dense is not None
    needs = preflight.estimate(
        passages=len(parts.corpus),
        dimension=parts.embeddings.dimension if parts.embeddings is not None else 0,
        bytes_per_value=parts.dense.bytes_per_value if dense and parts.dense is not None else 0,
        sparse=None if parts.sparse is None else parts.sparse.needs(_text_bytes(parts.corpus.path)),
    )
    preflight.check(needs, stage.output)


def _text_bytes(corpus: Path) -> int:
    return sum(file.stat().st_size for file in corpus.iterdir() if file.suffix == ".utf8")
