"""Chooses the weight of a fusion while an index is built."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from index.engines.contract import Ranker
from index.engines.hybrid import HybridRetriever
from index.engines.tuning import Tuning
from index.fusion.contract import Fusion, WeightChoice, WeightedFusion
from spider.corpus.corpus import Corpus
from spider.printable import counted
from spider.progress import Progress
from spider.question import Question
from spider.questions.judgements import excluded_positions
from spider.ranking import concatenate_hits
from spider.spans.span_store import SpanStore

BLOCK = 256
PAPERS_WEIGHT = 1.0
CAUTIOUS_WEIGHT = 4.0
"""The weight for unit vectors if there are too few queries for a choice: a quarter to a fifth of
those chosen for ``static`` (16 on Wikipedia, 23 on Python's documentation). Few documents train a
weak encoder, and with a weight that is too small the hybrid is close to BM25."""
SPLIT = "validation"

logger = logging.getLogger(__name__)


def settle_weight(
    fusion: Fusion,
    *,
    tuning: Tuning,
    corpus: Corpus,
    spans: SpanStore | None,
    score_scale: str,
    open_rankers: Callable[[], Mapping[str, Ranker]],
) -> dict[str, Any]:
    """Return the settings of the fusion for the manifest, and how its weight was chosen.

    Args:
        fusion: the configured fusion; keeps its weight if it has one.
        tuning: settings of choosing the weight.
        corpus: the passages.
        spans: holds the held-out queries; None if there are none.
        score_scale: the encoder's scale of scores: "unit", or "raw" as in the paper.
        open_rankers: opens the parts of the index by name; called if the weight is tuned.
    """
    if not isinstance(fusion, WeightedFusion) or fusion.untuned is None:
        return {**fusion.settings(), "tuned_on": None}
    if score_scale == "raw":
        return {**fusion.with_weight(PAPERS_WEIGHT).settings(), "tuned_on": None}
    questions = _sample(spans, tuning)
    if len(questions) < tuning.fewest:
        weight = CAUTIOUS_WEIGHT
        found, wanted = len(questions), tuning.fewest
        what = f"held-out {SPLIT} query"
        logger.info(
            "the %s weight is %g, untuned: %s, and choosing it takes %d",
            *(fusion.untuned, weight, counted(found, what, f"held-out {SPLIT} queries"), wanted),
        )
        return {**fusion.with_weight(weight).settings(), "tuned_on": None}
    retriever = HybridRetriever(rankers=open_rankers(), fusion=fusion)
    try:
        choice = _choose(retriever, fusion, questions, corpus)
    finally:
        retriever.close()
    logger.info(
        "%s weight %g, chosen on %s",
        fusion.untuned,
        choice.weight,
        counted(len(questions), "held-out query", "held-out queries"),
    )
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
    retriever: HybridRetriever,
    fusion: WeightedFusion,
    questions: list[Question],
    corpus: Corpus,
) -> WeightChoice:
    blocks = []
    with Progress(total=len(questions), unit="queries", label="fusion weight") as progress:
        for first in range(0, len(questions), BLOCK):
            block = questions[first : first + BLOCK]
            texts = [question.text for question in block]
            excluded = excluded_positions(block, corpus)
            blocks.append(retriever.search_each(texts, fusion.depths, excluded))
            progress.advance(len(block))
    rankings = {
        name: concatenate_hits([block[name] for block in blocks], min(depth, len(corpus)))
        for name, depth in fusion.depths.items()
    }
    relevant = [[corpus.position(name) for name in question.relevant] for question in questions]
    return fusion.choose_weight(rankings, relevant)
