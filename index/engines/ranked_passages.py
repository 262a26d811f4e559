"""Turns hits into passages with titles, texts, scores and shares."""

from index.fusion.contract import Fused
from spider.corpus.corpus import Corpus
from spider.ranking import NO_PASSAGE, RankedPassage


def rank_passages(corpus: Corpus, found: Fused) -> list[list[RankedPassage]]:
    """Look up the passages of hits.

    Args:
        corpus: the passages, numbered by the positions of the hits.
        found: hits with the share of each ranking.

    Returns:
        For each question its passages, best first, without padding.
    """
    return [_row(corpus, found, row) for row in range(len(found.hits.positions))]


def _row(corpus: Corpus, found: Fused, row: int) -> list[RankedPassage]:
    positions = found.hits.positions[row]
    positions = positions[positions != NO_PASSAGE]
    scores = found.hits.scores[row].tolist()
    shares = {name: share[row].tolist() for name, share in found.shares.items()}
    return [
        RankedPassage(
            rank=place + 1,
            position=position,
            passage=corpus.passage(position),
            score=scores[place],
            shares={name: own[place] for name, own in shares.items()},
        )
        for place, position in enumerate(positions.tolist())
    ]
