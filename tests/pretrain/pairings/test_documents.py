"""Which documents and passages a pairing may draw from."""

from pretrain.pairings.documents import (
    passages_of_length,
    training_documents,
    training_passages,
)


def test_held_out_documents_are_left_out_and_unusable_ones_are_not(training_corpus: tuple) -> None:
    """The first document is for validation, the second is not usable."""
    corpus, spans, _, _ = training_corpus
    assert training_documents(spans).tolist() == list(range(1, 12))
    held = set(corpus.document_passages(0))
    assert training_passages(spans).tolist() == [p for p in range(len(corpus)) if p not in held]


def test_short_passages_are_left_out(training_corpus: tuple) -> None:
    _, spans, _, tokens = training_corpus
    lengths = {p: tokens.length(p) for p in training_passages(spans).tolist()}
    least = min(lengths.values()) + 1
    found = passages_of_length(spans, tokens, least)
    assert found.tolist() == [p for p, length in lengths.items() if length >= least]
    assert 0 < len(found) < len(lengths)
    assert not len(passages_of_length(spans, tokens, 10_000))
