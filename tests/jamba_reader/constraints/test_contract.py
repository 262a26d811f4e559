"""The mask of forbidden tokens, by hand."""

import numpy as np
import pytest
import torch

from jamba_reader.constraints.contract import Allowed, Constraint, forbidden
from jamba_reader.constraints.text_spans import TextSpanConstraint

CPU = torch.device("cpu")


def mask(*rows: Allowed, ends: tuple[int, ...] = (0,)) -> list[str]:
    """Return a row as a text: the digits of its allowed tokens, of a vocabulary of six."""
    found = forbidden(rows, 6, ends, CPU)
    return ["".join(str(token) for token in range(6) if not row[token]) for row in found]


def ids(*tokens: int) -> np.ndarray:
    return np.array(tokens, dtype=np.int64)


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (Allowed(ids(1, 4), forbids=False, may_end=False), "14"),
        (Allowed(ids(1, 4), forbids=False, may_end=True), "014"),
        (Allowed(ids(1, 4), forbids=True, may_end=False), "235"),
        (Allowed(ids(1, 4), forbids=True, may_end=True), "0235"),
        (Allowed(ids(), forbids=False, may_end=False), ""),
        (Allowed(ids(), forbids=True, may_end=True), "012345"),
        # the tokens do not decide about end tokens, and may lie beyond the model's scores
        (Allowed(ids(0, 1, 9), forbids=False, may_end=False), "1"),
        (Allowed(ids(0, 1, 9), forbids=True, may_end=True), "02345"),
    ],
)
def test_one_row(allowed: Allowed, expected: str) -> None:
    assert mask(allowed) == [expected]


def test_rows_do_not_mix_and_there_may_be_no_end_token() -> None:
    rows = (Allowed(ids(2), False, True), Allowed(ids(2), True, False), Allowed(ids(), True, True))
    assert mask(*rows, ends=(0, 5)) == ["025", "134", "012345"]
    assert mask(*rows, ends=()) == ["2", "01345", "012345"]


def test_the_text_constraint_has_the_interface() -> None:
    assert issubclass(TextSpanConstraint, Constraint)
