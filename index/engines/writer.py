"""Building an index artifact: dense part, sparse part, and the fusion between them."""

import logging
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from index.embeddings.embeddings import Embeddings
from index.engines import preflight
from index.engines.opening import DENSE, ENCODER_PATH, SPARSE
from index.engines.parts import IndexParts
from index.engines.weight_tuning import settle_weight
from index.sparse.sparse_index import load_made_with
from spider.artifacts.artifact import Artifact
from spider.artifacts.atomic_files import read_json, write_json
from spider.artifacts.stage import Stage
from spider.progress import Progress

logger = logging.getLogger(__name__)


def write_index(stage: Stage, parts: IndexParts, *, device: str) -> Artifact:
    """Build what is missing and finish the artifact.

    A part that an interrupted run left whole is kept; one that it left half is made anew.
    """
    _preflight(stage, parts)
    with stage.writing() as folder:
        dense = sparse = None
        if parts.embeddings is not None and parts.dense is not None:
            embeddings, index = parts.embeddings, parts.dense
            dense = _part(folder, DENSE, parts, lambda at, bar: index.build(embeddings, at, bar))
        if parts.sparse is not None:
            engine, corpus = parts.sparse, parts.corpus
            sparse = _part(folder, SPARSE, parts, lambda at, bar: engine.build(corpus, at, bar))
        encoder = None if parts.embeddings is None else _encoder_of(parts.embeddings)
        fusion = None
        if dense is not None and sparse is not None and encoder is not None:
            fusion = settle_weight(
                folder,
                dense,
                sparse,
                fusion=parts.fusion,
                tuning=parts.tuning,
                corpus=parts.corpus,
                spans=parts.spans,
                encoder=encoder,
                device=device,
            )
        details = {
            "passages": len(parts.corpus),
            "encoder": None if encoder is None else _encoder_record(encoder),
            "dense": dense,
            "sparse": sparse,
            "fusion": fusion,
        }
        counts = {"passages": len(parts.corpus), "documents": parts.corpus.n_documents}
        # where the encoder lies is no part of what the index is, so it stays out of the hash
        place = None if encoder is None else os.path.relpath(encoder.path, stage.output)
        return stage.finish(
            counts=counts,
            details=details,
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
        logger.info("the %s part is already whole", name)
    else:
        if (folder / name).exists():
            shutil.rmtree(folder / name)
        (folder / name).mkdir()
        total = len(parts.corpus)
        with Progress(total=total, unit="passages", label=f"{name} index") as progress:
            write_json(record, make(folder / name, progress))
    details: dict[str, Any] = read_json(record)
    return details


def _encoder_of(embeddings: Embeddings) -> Artifact:
    return embeddings.artifact.parent("encoder")


def _encoder_record(encoder: Artifact) -> dict[str, str]:
    return {"content_hash": encoder.content_hash, "variant": encoder.variant}


def _preflight(stage: Stage, parts: IndexParts) -> None:
    dense = parts.embeddings is not None and parts.dense is not None
    needs = preflight.estimate(
        passages=len(parts.corpus),
        dimension=parts.embeddings.dimension if parts.embeddings is not None else 0,
        bytes_per_value=parts.dense.bytes_per_value if dense and parts.dense is not None else 0,
        text_bytes=_text_bytes(parts.corpus.path) if parts.sparse is not None else 0,
    )
    preflight.check(needs, stage.output)


def _text_bytes(corpus: Path) -> int:
    return sum(file.stat().st_size for file in corpus.iterdir() if file.suffix == ".utf8")
