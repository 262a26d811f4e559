"""What may be generated next: the contract of a constraint, and its mask over the vocabulary."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Integer
from torch import Tensor

State = tuple[int, ...]
"""What a constraint remembers of a text: a value, so that rows and beams share and copy it."""


class Allowed(NamedTuple):
    """The tokens that may come next.

    Attributes:
        tokens: their ids, or with ``forbids`` the ids of all others.
        forbids: ``tokens`` are the ones that may not come.
        may_end: the end-of-text tokens may come; they are never taken from ``tokens``.
    """

    tokens: Integer[np.ndarray, " _"]
    forbids: bool
    may_end: bool


class Quote(NamedTuple):
    """A span of a document within a generated text.

    Attributes:
        document: position of the first document that has the span.
        start: first code point of its first occurrence in that document's text; None where only
            token positions are known.
        end: the code point after the last.
        text: the span itself.
        occurrences: how often it occurs in all documents.
        closed: it ended as it should; not cut off by the number of tokens or by a stop string.
        first_token: first token of the occurrence, where documents are given as tokens.
        end_token: the token after the last.
    """

    document: int
    start: int | None
    end: int | None
    text: str
    occurrences: int
    closed: bool
    first_token: int | None = None
    end_token: int | None = None


@runtime_checkable
class Constraint(Protocol):
    """Says which tokens may follow. One constraint serves any number of rows at once."""

    def start(self) -> State:
        """Return the state before the first generated token."""

    def advance(self, state: State, token: int) -> State:
        """Return the state after a token that was allowed; never called with an end token."""

    def allowed(self, state: State) -> Allowed:
        """Return what may come next; nothing and no end means that the row is over."""

    def quotes(self, tokens: Sequence[int]) -> list[Quote]:
        """Return the spans within generated tokens, which hold no end token."""


def forbidden(
    allowed: Sequence[Allowed], vocabulary: int, end_ids: Sequence[int], device: torch.device
) -> Bool[Tensor, "rows vocabulary"]:
    """Return which tokens may not come next.

    Args:
        allowed: of each row.
        vocabulary: scores of the model in each row.
        end_ids: the end-of-text tokens.
        device: where the scores are.
    """
    lists = [row.tokens[row.tokens < vocabulary] for row in allowed]
    sizes = [len(tokens) for tokens in lists]
    rows = torch.from_numpy(np.repeat(np.arange(len(allowed)), sizes)).to(device)
    tokens = torch.from_numpy(np.concatenate(lists).astype(np.int64)).to(device)
    forbids = torch.tensor([row.forbids for row in allowed], device=device)
    mask = ~forbids[:, None].expand(-1, vocabulary)
    mask[rows, tokens] = forbids[rows]
    if end_ids:
        ends = torch.tensor([row.may_end for row in allowed], device=device)
        mask[:, list(end_ids)] = ~ends[:, None]
    return mask
