import numpy as np
import pytest
import torch

from pretrain.training.objective import ContrastiveObjective
from pretrain.training.validation import HeldoutValidation, best_ranks
from spider.corpus.split import DocumentSplit
from spider.encoders.static import StaticSettings
from spider.spans.span_store import SpanStore


def test_ranks_computed_by_hand() -> None:
    scores = np.array([[0.9, 0.5, 0.7, 0.8], [0.1, 0.1, 0.1, 0.1]], dtype=np.float32)
    relevant = np.array([[0, 1, 1, 0], [0, 0, 1, 0]], dtype=np.bool_)
    excluded = np.array([[1, 0, 0, 0], [1, 0, 0, 0]], dtype=np.bool_)
    # first: 0.8 stands before 0.7; second: all tie, one of the earlier two is excluded
    assert best_ranks(scores, relevant, excluded).tolist() == [1, 1]


def test_numbers_of_an_encoder(training_corpus: tuple) -> None:
    corpus, spans, tokenizer, tokens = training_corpus
    encoder = StaticSettings(dimension=64).build(tokenizer, seed=0)
    validation = HeldoutValidation(corpus=corpus, spans=spans, tokens=tokens, encoder=encoder)
    assert validation.n_queries == 1
    assert validation.n_passages == len(corpus)
    objective = ContrastiveObjective(encoder)
    with torch.no_grad():
        numbers = validation(objective)
        assert numbers == validation(objective)
    assert numbers["recall_at_20"] == numbers["recall_at_20_span_removed"] == 1.0
    assert numbers["loss"] == pytest.approx(0.0, abs=1e-6)  # one query: its positive alone
    assert numbers["accuracy"] == 1.0


def test_ranks_among_own_documents_and_a_sample_of_the_rest(training_corpus: tuple) -> None:
    corpus, spans, tokenizer, tokens = training_corpus
    encoder = StaticSettings(dimension=8).build(tokenizer, seed=0)
    own = len(corpus.document_passages(0))
    validation = HeldoutValidation(
        corpus=corpus, spans=spans, tokens=tokens, encoder=encoder, max_passages=own + 2
    )
    assert validation.n_queries == 1
    assert validation.n_passages == own + 2


def test_without_validation_documents_training_goes_on(training_corpus: tuple) -> None:
    corpus, spans, tokenizer, tokens = training_corpus
    encoder = StaticSettings(dimension=8).build(tokenizer, seed=0)
    none = SpanStore.open(spans.path)
    none.split = DocumentSplit(np.zeros_like(none.split.parts))
    validation = HeldoutValidation(corpus=corpus, spans=none, tokens=tokens, encoder=encoder)
    assert validation(ContrastiveObjective(encoder)) == {}
