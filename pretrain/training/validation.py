"""Validation on the held-out validation documents: small, deterministic, without labels."""

import hashlib
import logging
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor, nn

from pretrain.losses.in_batch_nll import in_batch_nll
from pretrain.training.batch import mask_columns
from spider.corpus.corpus import Corpus
from spider.encoders.trainable import EncodeTokens, TrainableEncoder
from spider.question import Question
from spider.spans.span_store import SpanStore
from spider.text.token_batch import TokenBatch, token_batch
from spider.text.token_store import TokenStore

logger = logging.getLogger(__name__)

DEPTHS = (1, 5, 20)
ENCODE_TEXTS = 256
LOSS_BATCH = 256


class HeldoutValidation:
    """In-batch loss, accuracy and recall of the validation documents' queries.

    A query is ranked against passages of validation documents and, as in a report, against passages
    of training. An overfitted encoder draws every query towards the latter; a ranking among
    validation documents alone would not show this. Whole documents, and whole sections of large
    ones, are taken in seeded order, up to half of ``max_passages``. The other half is a random
    sample of the rest of the corpus. The query's own passage is left out.

    Args:
        corpus: passages.
        spans: holds the queries.
        tokens: ids of the passages.
        encoder: completes and tokenises the queries; each call passes its own weights.
        max_passages: largest number of passages to rank; one whole document is always taken.
        max_queries: largest number of queries.
        seed: decides which documents and queries are taken.
        inference: encodes with a module's present weights; None takes the module's forward pass.
    """

    def __init__(
        self,
        *,
        corpus: Corpus,
        spans: SpanStore,
        tokens: TokenStore,
        encoder: TrainableEncoder,
        max_passages: int = 5_000,
        max_queries: int = 1_000,
        seed: int = 0,
        inference: Callable[[TrainableEncoder], EncodeTokens] | None = None,
    ):
        self._inference = inference
        self._known: dict[bytes, tuple[Int64[np.ndarray, " queries"], dict[str, float]]] = {}
        rng = np.random.default_rng(seed)
        own = _choose_passages(corpus, spans, max_passages // 2, rng)
        others = np.setdiff1d(np.arange(len(corpus)), own)
        sample_size = min(max(max_passages - len(own), 0), len(others))
        sample = rng.choice(others, sample_size, replace=False)
        positions = np.sort(np.concatenate([np.array(own, dtype=np.int64), sample]))
        column = {corpus.passage_id(p): n for n, p in enumerate(positions.tolist())}
        answering = {corpus.passage_id(p) for p in own}
        questions = [
            question
            for question in spans.heldout("validation").questions
            if not answering.isdisjoint(question.relevant)
        ]
        if len(questions) > max_queries:
            chosen = np.sort(rng.choice(len(questions), max_queries, replace=False))
            questions = [questions[number] for number in chosen.tolist()]
        if not questions:
            logger.info("no held-out validation query: training continues without validation")
        self.n_queries = len(questions)
        self.n_passages = len(positions)
        texts = encoder.tokenizer.encode([question.text for question in questions])
        self._queries = token_batch([encoder.query_ids(texts.of(n)) for n in range(len(questions))])
        self._passages = token_batch(
            [
                encoder.passage_ids(tokens.title(corpus.document_number(p)), tokens.passage(p))
                for p in positions.tolist()
            ]
        )
        self._relevant = _marks(questions, column, lambda question: question.relevant)
        self._excluded = _marks(questions, column, lambda question: question.excluded)
        self._removed = np.array(
            [question.tags.get("span") == "removed" for question in questions], dtype=np.bool_
        )

    def __call__(self, objective: nn.Module) -> dict[str, float]:
        """Return the numbers of the objective's encoder; empty if there is no query."""
        return dict(self._measure(objective)[1]) if self.n_queries else {}

    def ranks(self, objective: nn.Module) -> Int64[np.ndarray, " queries"] | None:
        """Return how many passages rank before each query's best; None if there is no query."""
        return self._measure(objective)[0] if self.n_queries else None

    def _measure(
        self, objective: nn.Module
    ) -> tuple[Int64[np.ndarray, " queries"], dict[str, float]]:
        """Measure weights once: those before and after training are asked for twice."""
        weights = _fingerprint(objective)
        if weights not in self._known:
            self._known[weights] = self._compute(objective)
        return self._known[weights]

    def _compute(
        self, objective: nn.Module
    ) -> tuple[Int64[np.ndarray, " queries"], dict[str, float]]:
        encoder: TrainableEncoder = objective.encoder  # type: ignore[assignment]
        if self._inference is None:
            queries = _encode(encoder, self._queries, objective, passages=False)
            passages = _encode(encoder, self._passages, objective, passages=True)
        else:
            encode = self._inference(encoder)
            queries = torch.from_numpy(encode(self._queries, passages=False))
            passages = torch.from_numpy(encode(self._passages, passages=True))
        scores = (queries @ passages.T).numpy()
        ranks = best_ranks(scores, self._relevant, self._excluded)
        numbers = self._loss(queries, passages, encoder.score_multiplier)
        numbers["mean_reciprocal_rank"] = float((1.0 / (1.0 + ranks)).mean())
        numbers |= {f"recall_at_{depth}": float((ranks < depth).mean()) for depth in DEPTHS}
        if self._removed.any():
            numbers["recall_at_20_span_removed"] = float((ranks[self._removed] < 20).mean())
        return ranks, numbers

    def _loss(
        self,
        queries: Float32[Tensor, "queries dimension"],
        passages: Float32[Tensor, "passages dimension"],
        multiplier: float,
    ) -> dict[str, float]:
        loss = accuracy = 0.0
        for start in range(0, self.n_queries, LOSS_BATCH):
            rows = slice(start, min(start + LOSS_BATCH, self.n_queries))
            marks = self._relevant[rows] | self._excluded[rows]
            targets = self._relevant[rows].argmax(axis=1).astype(np.int64)
            known = [np.flatnonzero(row).astype(np.int64) for row in marks]
            masked = mask_columns(targets, range(len(targets)), known)
            part = in_batch_nll(
                queries[rows],
                passages[torch.from_numpy(targets)],
                torch.arange(len(targets)),
                torch.from_numpy(masked),
                multiplier=multiplier,
            )
            loss += float(part.loss) * len(targets)
            accuracy += float(part.accuracy) * len(targets)
        return {"loss": loss / self.n_queries, "accuracy": accuracy / self.n_queries}


def best_ranks(
    scores: Float32[np.ndarray, "queries passages"],
    relevant: Bool[np.ndarray, "queries passages"],
    excluded: Bool[np.ndarray, "queries passages"],
) -> Int64[np.ndarray, " queries"]:
    """Return how many passages rank before each query's best relevant one.

    Excluded passages are dropped; equal scores rank in order of position.
    """
    scores = np.where(excluded, -np.inf, scores)
    best = np.where(relevant, scores, -np.inf).argmax(axis=1)
    score = np.take_along_axis(scores, best[:, None], axis=1)
    earlier = np.arange(scores.shape[1])[None, :] < best[:, None]
    before = (scores > score) | ((scores == score) & earlier)
    return np.asarray(before.sum(axis=1), dtype=np.int64)


def _choose_passages(
    corpus: Corpus, spans: SpanStore, max_passages: int, rng: np.random.Generator
) -> list[int]:
    """Return the passages of whole validation documents and sections, ascending."""
    units = [corpus.document_passages(number) for number in spans.split.validation.tolist()]
    units += [range(first, end) for _, first, end, _ in spans.split.sections_of("validation")]
    chosen: list[int] = []
    for number in rng.permutation(len(units)).tolist():
        if len(chosen) >= max_passages:
            break
        chosen += units[number]
    return sorted(chosen)


def _marks(
    questions: Sequence[Question],
    column: dict[str, int],
    ids: Callable[[Question], tuple[str, ...]],
) -> Bool[np.ndarray, "queries passages"]:
    marks = np.zeros((len(questions), len(column)), dtype=np.bool_)
    for row, question in enumerate(questions):
        marks[row, [column[identity] for identity in ids(question) if identity in column]] = True
    return marks


def _fingerprint(module: nn.Module) -> bytes:
    """Return a hash of the weights; it takes 0.1 s for 90 MB."""
    digest = hashlib.blake2b(digest_size=16)
    for value in module.state_dict().values():
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.digest()


def _encode(
    encoder: TrainableEncoder, texts: TokenBatch, objective: nn.Module, *, passages: bool
) -> Float32[Tensor, "texts dimension"]:
    device = next(objective.parameters()).device
    parts = [
        encoder.encode_tokens(
            texts.slice(start, min(start + ENCODE_TEXTS, texts.n_texts)).to(device),
            passages=passages,
        )
        for start in range(0, texts.n_texts, ENCODE_TEXTS)
    ]
    return torch.cat(parts).float().cpu()
