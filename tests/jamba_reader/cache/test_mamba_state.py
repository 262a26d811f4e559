"""Marks and copies of the states of Mamba layers."""

import torch

from jamba_reader.cache.mamba_state import MambaState, Mark, copied


def states() -> dict[int, MambaState]:
    return {3: MambaState(torch.ones(2, 4, 3), torch.ones(2, 1, 4))}


def test_copies_are_independent() -> None:
    before = states()
    after = copied(before)
    assert list(after) == [3]
    before[3].state.add_(1)
    before[3].history.add_(1)
    assert torch.equal(after[3].state, torch.ones(2, 4, 3))
    assert torch.equal(after[3].history, torch.ones(2, 1, 4))


def test_marks_are_ordered_and_equal_only_to_themselves() -> None:
    first, second = Mark((1, 2), states()), Mark((1, 2), states())
    assert first.serial < second.serial
    assert first != second
    assert len({first, second}) == 2
