"""The interface of a decoding constraint, and its mask over the vocabulary."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Integer
from torch import Tensor

State = tuple[int, ...]
"""The state of a constraint after some tokens: immutable, so that rows and beams share it."""


class Allowed(NamedTuple):
    """The tokens that are allowed next.

    Attributes:
        tokens: ids of the allowed tokens; with ``forbids``, ids of the forbidden tokens.
        forbids: whether ``tokens`` are forbidden and all others allowed.
        may_end: whether the end-of-text tokens are allowed; ``tokens`` does not decide about them.
    """

    tokens: Integer[np.ndarray, " _"]
    forbids: bool
    may_end: bool


class Quote(NamedTuple):
    """A span of a document within a generated text.

    Attributes:
        document: index of the first document that contains the span.
        start: its first code point in the text of that document, at its first occurrence.
        end: the code point after its last one.
        text: the span itself.
        occurrences: how often it occurs in all documents.
        closed: whether the quote is complete: False if the number of tokens or a stop string cut
            it off.
    """

    document: int
    start: int
    end: int
    text: str
    occurrences: int
    closed: bool


@runtime_checkable
class Constraint(Protocol):
    """Decides which tokens may follow; one constraint serves any number of rows at once."""

    def start(self) -> State:
        """Return the state before the first generated token."""

    def advance(self, state: State, token: int) -> State:
        """Return the state after an allowed token; never called with an end-of-text token."""

    def allowed(self, state: State) -> Allowed:
        """Return what is allowed next; if nothing is, the row is finished."""

    def quotes(self, tokens: Sequence[int]) -> list[Quote]:
        """Return the spans within generated tokens; these contain no end-of-text token."""


def forbidden(
    allowed: Sequence[Allowed], vocabulary: int, end_ids: Sequence[int], device: torch.device
) -> Bool[Tensor, "rows vocabulary"]:
    """Return the mask of forbidden tokens.

    Args:
        allowed: what each row allows.
        vocabulary: size of the vocabulary: the number of the model's scores in a row.
        end_ids: ids of the end-of-text tokens.
        device: device of the scores.
    """
    lists = [row.tokens[row.tokens < vocabulary] for row in allowed]
    sizes = [len(tokens) for tokens in lists]
    rows = torch.from_numpy(np.repeat(np.arange(len(allowed)), sizes)).to(device)
    tokens = torch.from_numpy(np.concatenate(lists).astype(np.int64)).to(device)
    forbids = torch.tensor([row.forbids for row in allowed], dtype=torch.bool, device=device)
    mask = ~forbids[:, None].expand(-1, vocabulary)
    mask[rows, tokens] = forbids[rows]
    if end_ids:
        ends = torch.tensor([row.may_end for row in allowed], dtype=torch.bool, device=device)
        mask[:, list(end_ids)] = ~ends[:, None]
    return mask
