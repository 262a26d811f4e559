"""TokenBatch: the token ids of several texts, end to end without padding."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int64, Integer
from torch import Tensor


class TokenBatch(NamedTuple):
    """Ragged token ids: text ``i`` is ``ids[offsets[i]:offsets[i + 1]]``.

    ``len()`` of a named tuple counts its two fields; ``n_texts`` counts the texts.

    Attributes:
        ids: token ids of all texts, complete (special tokens included, cut to the maximum length).
        offsets: where each text begins, and after the last one the total.
    """

    ids: Int64[Tensor, " tokens"]
    offsets: Int64[Tensor, " texts_plus_one"]

    @property
    def n_texts(self) -> int:
        """Number of texts."""
        return self.offsets.shape[0] - 1

    @property
    def lengths(self) -> Int64[Tensor, " texts"]:
        """Number of tokens of each text."""
        return self.offsets[1:] - self.offsets[:-1]

    def to(self, device: torch.device | str) -> "TokenBatch":
        """Return the batch on a device."""
        return TokenBatch(
            self.ids.to(device, non_blocking=True), self.offsets.to(device, non_blocking=True)
        )

    def slice(self, start: int, end: int) -> "TokenBatch":
        """Return texts ``start`` to ``end`` (exclusive): a view of the ids."""
        offsets = self.offsets[start : end + 1]
        return TokenBatch(self.ids[int(offsets[0]) : int(offsets[-1])], offsets - offsets[0])


def token_batch(texts: Sequence[Integer[np.ndarray, " _"]]) -> TokenBatch:
    """Concatenate the token ids of several texts."""
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(ids) for ids in texts], out=offsets[1:])
    ids = np.concatenate(texts) if texts else np.zeros(0, dtype=np.int64)
    return TokenBatch(torch.from_numpy(ids.astype(np.int64, copy=False)), torch.from_numpy(offsets))
