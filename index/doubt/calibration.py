"""Learns from held-out queries, without labels, how little of a question a match holds.

A held-out query that is copied from text has an answer in the corpus by construction. (Those that
lack the words of their answers, by which systems are compared, would give a number that is too low:
27 instead of 34 % on Python's documentation, and 19 instead of 46 of 100 mismatched queries below.)
The least coverage is the one that 95
of 100 queries reach. The same number of mismatched queries, whose words are drawn from all queries
at random, show what the number is worth: the share of them that stays below it is recorded.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from index.doubt.term_weights import TermWeights, passage_terms
from index.fusion.contract import Fused
from spider.artifacts.records.index import MatchRecord
from spider.corpus.corpus import Corpus
from spider.printable import counted
from spider.question import Question
from spider.questions.judgements import excluded_positions
from spider.ranking import NO_PASSAGE
from spider.spans.span_store import SpanStore
from spider.text.words import WORD_CHARACTERS

LOOKED_AT = 5
"""Passages of a ranking whose coverage counts; their number on the demo's 341 questions and on 500
of Natural Questions decided: the areas under the curve are 0.934 with one passage, 0.967 with 5."""
REACHED_BY = 0.95
MOST_QUERIES = 500
BLOCK = 100

logger = logging.getLogger(__name__)

Excluded = Sequence[Sequence[int]]


@runtime_checkable
class Searched(Protocol):
    """The index, as far as it is searched here."""

    def search_with_shares(
        self, questions: Sequence[str], depth: int, *, excluded: Excluded | None = None
    ) -> Fused:
        """Return the recommended ranking of each question."""

    def close(self) -> None:
        """Release files and memory."""


def calibrate(
    folder: Path,
    *,
    corpus: Corpus,
    spans: SpanStore | None,
    fewest: int,
    seed: int,
    open_engine: Callable[[], Searched],
) -> MatchRecord | None:
    """Write the weights of terms into an index, and return the least coverage of a match.

    Args:
        folder: the index that is being written.
        corpus: the passages.
        spans: holds the held-out queries; None if there are none.
        fewest: with fewer queries nothing is learned.
        seed: decides which queries are searched, and the mismatched ones.
        open_engine: opens the index; called only if something is learned.

    Returns:
        The record for the manifest; None with too few queries.
    """
    questions = [] if spans is None else list(spans.copied().questions)
    if len(questions) < fewest:
        return None
    rng = np.random.default_rng(seed)
    if len(questions) > MOST_QUERIES:
        kept = rng.choice(len(questions), size=MOST_QUERIES, replace=False)
        questions = [questions[place] for place in sorted(kept.tolist())]
    weights = TermWeights.learn(corpus)
    weights.save(folder)
    engine = open_engine()
    try:
        texts = [question.text for question in questions]
        matching = _coverages(weights, engine, corpus, texts, excluded_positions(questions, corpus))
        mismatched = _coverages(
            weights, engine, corpus, mismatch(questions, rng), [()] * len(texts)
        )
    finally:
        engine.close()
    # two digits: sums of scores may differ in their last bits between machines
    least = round(float(np.quantile(matching, 1 - REACHED_BY)), 2)
    record = MatchRecord(
        least_coverage=least,
        queries=len(matching),
        mismatched_below=round(float(np.mean(mismatched < least)), 2),
    )
    logger.info(
        "a match holds at least %.0f%% of a question, learned from %s; %.0f%% of mismatched "
        "ones stay below",
        100 * least,
        counted(record.queries, "held-out query", "held-out queries"),
        100 * record.mismatched_below,
    )
    return record


def mismatch(questions: Sequence[Question], rng: np.random.Generator) -> list[str]:
    """Return queries of the same lengths, whose words are drawn from all queries."""
    lengths = [len(WORD_CHARACTERS.findall(question.text)) for question in questions]
    words = [word for question in questions for word in WORD_CHARACTERS.findall(question.text)]
    drawn = rng.integers(0, max(len(words), 1), size=sum(lengths)).tolist()
    ends = np.cumsum(lengths).tolist()
    return [
        " ".join(words[place] for place in drawn[end - length : end])
        for length, end in zip(lengths, ends, strict=True)
    ]


def _coverages(
    weights: TermWeights,
    engine: Searched,
    corpus: Corpus,
    texts: Sequence[str],
    excluded: Excluded,
) -> np.ndarray:
    found = []
    for first in range(0, len(texts), BLOCK):
        block = texts[first : first + BLOCK]
        hits = engine.search_with_shares(
            block, LOOKED_AT, excluded=excluded[first : first + BLOCK]
        ).hits
        for text, row in zip(block, hits.positions, strict=True):
            positions = row[row != NO_PASSAGE].tolist()
            held = (passage_terms(corpus.title(p), corpus.text(p)) for p in positions)
            found.append(weights.coverage(text, held))
    return np.array([share for share in found if share is not None])
