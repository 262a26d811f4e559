"""Perplexity and bits per byte of held-out documents."""

import math

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor, nn

from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments
from jamba_reader.training.losses.chunked_cross_entropy import chunked_cross_entropy
from jamba_reader.training.objective import check_head
from jamba_reader.training.token_streams import TokenSource, document_inputs


class HeldoutPerplexity:
    """Measures the loss on whole documents, each from an empty state, with its full context.

    Bits per byte do not depend on the vocabulary, so they compare models with different ones. The
    bits of the end token are included.

    Args:
        source: the tokenised documents.
        documents: numbers of the held-out documents.
        tokens: number of tokens after which no more documents are taken; at least one is.
        seed: seed of the choice of documents.
        documents_at_once: number of documents that are read in parallel.
        chunk_tokens: tokens of one pass through the model, over all documents.
    """

    def __init__(
        self,
        source: TokenSource,
        documents: Int64[np.ndarray, " documents"],
        *,
        tokens: int,
        seed: int,
        documents_at_once: int = 8,
        chunk_tokens: int = 4096,
    ):
        order = np.random.default_rng(seed).permutation(documents)
        before = np.cumsum(source.lengths[order] + 1) - source.lengths[order] - 1
        chosen = order[before < max(tokens, 1)]
        # documents of similar length are read together
        self.documents = chosen[np.argsort(source.lengths[chosen], kind="stable")]
        self.tokens = int((source.lengths[chosen] + 1).sum())
        self.bytes = int(source.byte_counts[chosen].sum())
        self._source = source
        self._at_once = documents_at_once
        self._each = max(1, chunk_tokens // documents_at_once)

    @torch.no_grad()
    def __call__(self, objective: nn.Module) -> dict[str, float]:
        """Return the metrics of the objective's ``model``; empty if there is no document."""
        if not len(self.documents):
            return {}
        model: JambaLanguageModel = objective.model  # type: ignore[assignment]
        check_head(model)
        nats = sum(
            self._nats(model, self.documents[start : start + self._at_once].tolist())
            for start in range(0, len(self.documents), self._at_once)
        )
        loss = nats / self.tokens
        return {
            "loss": loss,
            # the loss shows that a model has diverged; exp must not overflow
            "perplexity": math.exp(min(loss, 700.0)),
            "bits_per_byte": nats / math.log(2.0) / max(self.bytes, 1),
        }

    def _nats(self, model: JambaLanguageModel, numbers: list[int]) -> float:
        pairs = [document_inputs(self._source, number) for number in numbers]
        longest = max(len(inputs) for inputs, _ in pairs)
        cache = model.new_cache(len(numbers))
        nats = 0.0
        for start in range(0, longest, self._each):
            rows = slice(start, start + self._each)
            tokens, lengths = _packed([inputs[rows] for inputs, _ in pairs], model.device)
            targets, _ = _packed([targets[rows] for _, targets in pairs], model.device)
            hidden, _ = model.hidden_states(tokens, Segments(lengths), cache)
            nats += float(chunked_cross_entropy(hidden, model.lm_head.weight, targets))
        return nats


def _packed(pieces: list[np.ndarray], device: torch.device) -> tuple[Tensor, list[int]]:
    packed = torch.from_numpy(np.concatenate(pieces)).to(device)
    return packed, [len(piece) for piece in pieces]
