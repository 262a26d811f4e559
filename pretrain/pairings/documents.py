"""The documents and passages that a pairing may draw from."""

import numpy as np
from jaxtyping import Int64

from spider.spans.span_store import SpanStore
from spider.text.token_store import TokenStore


def training_documents(spans: SpanStore) -> Int64[np.ndarray, " documents"]:
    """Return the numbers of the documents that training may use, as a whole or in part.

    Those without a span are among them.
    """
    return np.sort(np.concatenate([spans.split.training, spans.split.sectioned]))


def training_passages(spans: SpanStore) -> Int64[np.ndarray, " passages"]:
    """Return the candidate passages that training may use."""
    parts = [spans.training_candidates(number) for number in training_documents(spans).tolist()]
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def passages_of_length(
    spans: SpanStore, tokens: TokenStore, least: int
) -> Int64[np.ndarray, " passages"]:
    """Return the candidate passages of training documents that have ``least`` tokens or more."""
    positions = training_passages(spans)
    long_enough = [tokens.length(position) >= least for position in positions.tolist()]
    return positions[np.array(long_enough, dtype=np.bool_)]
