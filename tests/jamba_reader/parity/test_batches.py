"""A sequence's logits do not depend on what shares its batch, nor on where padding is."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from benchmarks.jamba.models import gap, our_model, transformers_model
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.segments import Segments

TOLERANCE = 1e-5
LENGTHS = (7, 1, 12, 3)
WIDTH = 12


def token_ids(count: int, seed: int) -> Tensor:
    return torch.randint(1, 61, (count,), generator=torch.Generator().manual_seed(seed))


def alone(model: JambaLanguageModel, ids: Tensor) -> Tensor:
    return model(ids, Segments([len(ids)]), rows=torch.arange(len(ids))).logits


def padded(sequences: list[Tensor], sides: list[str]) -> tuple[Tensor, Tensor]:
    """Put zeros (the padding id) on one side of each sequence, or around it."""
    ids = torch.zeros(len(sequences), WIDTH, dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for row, (sequence, side) in enumerate(zip(sequences, sides, strict=True)):
        room = WIDTH - len(sequence)
        start = {"left": room, "right": 0, "both": room // 2}[side]
        ids[row, start : start + len(sequence)] = sequence
        mask[row, start : start + len(sequence)] = 1
    return ids, mask


@settings(max_examples=20)
@given(lengths=st.lists(st.integers(0, 15), min_size=1, max_size=5), seed=st.integers(0, 9))
def test_ragged_sequences_are_as_when_alone(
    model: JambaLanguageModel, lengths: list[int], seed: int
) -> None:
    with torch.no_grad():
        sequences = [token_ids(length, seed + n) for n, length in enumerate(lengths)]
        segments = Segments(lengths)
        packed = model(torch.cat(sequences), segments, rows=torch.arange(segments.total)).logits
        for ids, rows in zip(sequences, segments.slices, strict=True):
            if len(ids):
                assert gap(packed[rows], alone(model, ids)) < TOLERANCE


@pytest.mark.parametrize(
    "sides",
    [["left"] * 4, ["right"] * 4, ["both"] * 4, ["left", "right", "both", "left"]],
    ids=["left", "right", "both", "mixed"],
)
@pytest.mark.parametrize("dtype", [torch.int64, torch.bool])
def test_padding_on_any_side_changes_nothing(
    model: JambaLanguageModel, sides: list[str], dtype: torch.dtype
) -> None:
    sequences = [token_ids(length, seed=length) for length in LENGTHS]
    ids, mask = padded(sequences, sides)
    logits = model.forward_padded(ids, mask.to(dtype))
    assert logits.shape == (4, WIDTH, 61)
    for row, sequence in enumerate(sequences):
        assert gap(logits[row, mask[row].bool()], alone(model, sequence)) < TOLERANCE


@pytest.mark.parametrize("side", ["left", "right"])
def test_padded_batches_equal_transformers(side: str, small_shape: dict[str, Any]) -> None:
    """Without a cache and without ``mamba_proj_bias`` transformers pads right on both sides."""
    theirs = transformers_model({**small_shape, "mamba_proj_bias": False}, seed=4)
    sequences = [token_ids(length, seed=length) for length in LENGTHS]
    ids, mask = padded(sequences, [side] * 4)
    expected = theirs(ids, attention_mask=mask, use_cache=False).logits
    found = our_model(theirs).forward_padded(ids, mask)
    for row in range(4):
        real = mask[row].bool()
        assert gap(found[row, real], expected[row, real]) < TOLERANCE


def test_what_padding_holds_does_not_matter(model: JambaLanguageModel) -> None:
    sequences = [token_ids(length, seed=length) for length in LENGTHS]
    ids, mask = padded(sequences, ["left", "right", "both", "left"])
    noisy = torch.where(mask.bool(), ids, token_ids(WIDTH, seed=9))
    assert torch.equal(model.forward_padded(ids, mask), model.forward_padded(noisy, mask))


def test_a_later_token_does_not_change_an_earlier_logit(model: JambaLanguageModel) -> None:
    ids = token_ids(12, seed=1)
    changed = ids.clone()
    changed[8:] = token_ids(4, seed=2)
    before, after = alone(model, ids), alone(model, changed)
    assert gap(before[:8], after[:8]) < 1e-6
    assert gap(before[8:], after[8:]) > 0.01


def test_every_earlier_token_changes_the_last_logit(model: JambaLanguageModel) -> None:
    ids = token_ids(10, seed=1)
    last = alone(model, ids)[-1]
    for place in range(10):
        changed = ids.clone()
        changed[place] = (changed[place] + 7) % 61
        assert gap(alone(model, changed)[-1], last) > 1e-4
