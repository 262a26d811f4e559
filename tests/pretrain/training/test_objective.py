"""The contrastive objective: the loss of a batch, computed by hand from the vectors."""

import numpy as np
import pytest
import torch

from pretrain.pairings.pairing import PairExample
from pretrain.training.batch import Collator
from pretrain.training.objective import ContrastiveObjective
from spider.encoders.static import StaticSettings


def _batch(training_corpus: tuple) -> tuple:
    corpus, _, tokenizer, tokens = training_corpus
    encoder = StaticSettings(dimension=8).build(tokenizer, seed=0)
    collator = Collator(tokens=tokens, document_number=corpus.document_number, encoder=encoder)
    examples = [
        PairExample(np.asarray(tokens.passage(query)), positive, negative, np.array([positive]))
        for query, positive, negative in ((8, 9, 11), (12, 13, -1), (16, 17, 19))
    ]
    return encoder, collator.collate(examples, range(3))


def test_the_loss_is_the_cross_entropy_over_columns(training_corpus: tuple) -> None:
    encoder, batch = _batch(training_corpus)
    found = ContrastiveObjective(encoder)(batch)
    queries = encoder.encode_tokens(batch.queries, passages=False)
    passages = encoder.encode_tokens(batch.passages, passages=True)
    losses, right = [], []
    for row, query in enumerate(queries):
        logits = {}
        for place, column in enumerate(batch.columns.tolist()):
            if not batch.masked[row, place]:
                logits[place] = 20.0 * float((query @ passages[column]).detach())
        target = int(batch.targets[row])
        total = sum(np.exp(value) for value in logits.values())
        losses.append(-np.log(np.exp(logits[target]) / total))
        right.append(max(logits, key=logits.__getitem__) == target)
    assert float(found.loss.detach()) == pytest.approx(np.mean(losses), rel=1e-4)
    assert float(found.metrics["accuracy"]) == pytest.approx(np.mean(right))


def test_the_gradient_reaches_the_encoder_and_lowers_the_loss(training_corpus: tuple) -> None:
    encoder, batch = _batch(training_corpus)
    objective = ContrastiveObjective(encoder)
    optimizer = torch.optim.SGD(objective.parameters(), lr=0.05)
    before = objective(batch).loss
    before.backward()
    optimizer.step()
    assert objective(batch).loss.item() < before.item()
