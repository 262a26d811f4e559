"""A matrix as int8 rows with one scale each."""

from typing import NamedTuple

from torch import Tensor

LARGEST = 127


class QuantisedRows(NamedTuple):
    """A matrix as integers and a scale per row: ``values * scale[:, None]``."""

    values: Tensor
    scale: Tensor
