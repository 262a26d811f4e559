"""Settling the fusion's dense weight while an index is built."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from index.dense.dense_index import load_dense
from index.engines.exclusion import excluded_positions
from index.engines.hybrid import HybridRetriever
from index.engines.opening import DENSE, SPARSE, load_sparse
from index.engines.tuning import Tuning
from index.fusion.dense_weight import WeightChoice, choose_weight
from index.fusion.fusion import Fusion
from spider.artifacts.artifact import Artifact
from spider.corpus.corpus import Corpus
from spider.encoders.loading import load_encoder
from spider.progress import Progress
from spider.question import Question
from spider.ranking import Hits, concatenate_hits
from spider.spans.span_store import SpanStore

BLOCK = 256
PAPERS_WEIGHT = 1.0
CAUTIOUS_WEIGHT = 4.0
"""For unit vectors where too few queries can choose: a third to a half of what tuning chose on
Python's documentation (8 to 11) and on Wikipedia (11), since few documents train a weak encoder,
and a weight that is too small falls back on BM25."""
SPLIT = "validation"

logger = logging.getLogger(__name__)


def settle_weight(
    folder: Path,
    dense: Mapping[str, Any],
    sparse: Mapping[str, Any],
    *,
    fusion: Fusion,
    tuning: Tuning,
    corpus: Corpus,
    spans: SpanStore | None,
    encoder: Artifact,
    device: str,
) -> dict[str, Any]:
    """Return the fusion's settings for the manifest, and how its weight came about.

    Args:
        folder: holds the two parts.
        dense: details of the dense part.
        sparse: details of the sparse part.
        fusion: as configured; keeps its weight if it has one.
        tuning: how the weight is chosen.
        corpus: the passages.
        spans: where held-out queries come from.
        encoder: what embedded the passages.
        device: where a transformer runs.
    """
    if not fusion.needs_weight:
        return {**fusion.settings(), "tuned_on": None}
    if encoder.details["score_scale"] == "raw":
        return {**fusion.with_weight(PAPERS_WEIGHT).settings(), "tuned_on": None}
    questions = _sample(spans, tuning)
    if len(questions) < tuning.fewest:
        weight = CAUTIOUS_WEIGHT
        found, wanted = len(questions), tuning.fewest
        logger.warning(
            "the dense weight is %g, untuned: %d held-out %s queries, %d are needed to choose it",
            *(weight, found, SPLIT, wanted),
        )
        return {**fusion.with_weight(weight).settings(), "tuned_on": None}
    retriever = HybridRetriever(
        dense=load_dense(folder / DENSE, dense),
        encoder=load_encoder(encoder.path, device=device),
        sparse=load_sparse(folder / SPARSE, sparse),
        fusion=fusion,
    )
    try:
        choice = _choose(retriever, fusion, questions, corpus)
    finally:
        retriever.close()
    logger.info("dense weight %g, chosen on %d held-out queries", choice.weight, len(questions))
    return {
        **fusion.with_weight(choice.weight).settings(),
        "tuned_on": {"split": SPLIT, "queries": len(questions), "seed": tuning.seed},
        "curve": {f"{weight:.5g}": gain for weight, gain in choice.curve},
    }


def _sample(spans: SpanStore | None, tuning: Tuning) -> list[Question]:
    questions = [] if spans is None else list(spans.heldout(SPLIT).questions)
    if len(questions) <= tuning.queries:
        return questions
    rng = np.random.default_rng(tuning.seed)
    kept = rng.choice(len(questions), size=tuning.queries, replace=False)
    return [questions[place] for place in sorted(kept.tolist())]


def _choose(
    retriever: HybridRetriever, fusion: Fusion, questions: list[Question], corpus: Corpus
) -> WeightChoice:
    lists: list[tuple[Hits, Hits]] = []
    depths = fusion.dense_depth, fusion.sparse_depth
    with Progress(total=len(questions), unit="queries", label="dense weight") as progress:
        for first in range(0, len(questions), BLOCK):
            block = questions[first : first + BLOCK]
            texts = [question.text for question in block]
            excluded = excluded_positions(block, corpus)
            lists.append(retriever.search_both(texts, *depths, excluded))
            progress.advance(len(block))
    dense, sparse = (
        concatenate_hits(parts, depth)
        for parts, depth in zip(zip(*lists, strict=True), depths, strict=True)
    )
    relevant = [[corpus.position(name) for name in question.relevant] for question in questions]
    return choose_weight(dense, sparse, relevant)
