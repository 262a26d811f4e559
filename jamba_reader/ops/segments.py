"""Which rows of a packed ``[tokens, ...]`` tensor belong to which sequence.

Every batch, padded, ragged or packed, is turned into one tensor of its real tokens, sequence after
sequence. Layers that compute each token by itself need no boundaries; convolution, scan and
attention take them from here. There is no padding, so no mask can be forgotten.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate, pairwise
from operator import index

import torch
from torch import Tensor

from spider.errors import DataError


class Segments:
    """Sequences laid end to end; some may be empty.

    Args:
        lengths: tokens of each sequence.

    Raises:
        DataError: a length is negative, or no integer.
    """

    def __init__(self, lengths: Sequence[int]):
        try:
            self.lengths = tuple(map(index, lengths))
        except TypeError as error:
            raise DataError(f"segment lengths {lengths!r}: expected integers") from error
        if any(length < 0 for length in self.lengths):
            raise DataError(f"segment lengths {self.lengths}: expected none below 0")
        self._on_device: dict[torch.device, Tensor] = {}

    def __len__(self) -> int:
        return len(self.lengths)

    def __repr__(self) -> str:
        return f"Segments({list(self.lengths)})"

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """First row of each sequence, and the number of rows at the end."""
        return tuple(accumulate(self.lengths, initial=0))

    @property
    def total(self) -> int:
        """Rows in all."""
        return self.starts[-1]

    @cached_property
    def single_tokens(self) -> bool:
        """Whether every sequence has exactly one token, as while generating."""
        return all(length == 1 for length in self.lengths)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Rows of each sequence."""
        return tuple(slice(start, stop) for start, stop in pairwise(self.starts))

    def starts_on(self, device: torch.device | str) -> Tensor:
        """Return ``starts`` as int64 on ``device``, copied there once."""
        key = torch.device(device)
        if key not in self._on_device:
            self._on_device[key] = torch.tensor(self.starts, dtype=torch.int64, device=key)
        return self._on_device[key]

    def last_rows(self, device: torch.device | str) -> Tensor:
        """Return the last row of each sequence that has one, int64."""
        rows = [stop - 1 for start, stop in pairwise(self.starts) if stop > start]
        return torch.tensor(rows, dtype=torch.int64, device=device)
