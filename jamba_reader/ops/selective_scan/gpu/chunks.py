"""How sequences are cut into chunks of time for the Triton scan, so that a GPU is filled."""

from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Int64
from torch import Tensor

from jamba_reader.ops.segments import Segments

KEEP = 16
"""Tokens between two states kept for the backward pass: the height of its tiles."""

FULL = 4096
"""Programs that fill a GPU; a scan of fewer is cut into chunks of time."""

COLUMNS = 4
"""Of the table: see ``forward``."""

SHORTEST = 64
"""Tokens of the shortest chunk; chunks are multiples of it, and it of KEEP."""


class Plan(NamedTuple):
    """How sequences are cut into chunks.

    Args:
        table: see ``forward``.
        first_chunks: the first chunk of each sequence, and at the end the number of chunks.
        chunks: how many.
        kept: states kept for the backward pass.
        whole: every chunk is a whole sequence.
    """

    table: Int64[Tensor, "chunks columns"]
    first_chunks: Int64[Tensor, " boundaries"]
    chunks: int
    kept: int
    whole: bool


_plans: WeakKeyDictionary[Segments, dict[tuple[object, ...], Plan]] = WeakKeyDictionary()


def plan(segments: Segments, blocks: int, device: torch.device) -> Plan:
    """Cut sequences into chunks, once for all layers of a model.

    Args:
        segments: the sequences.
        blocks: programs side by side in every chunk.
        device: where the table is wanted.
    """
    longest = max(segments.lengths, default=0)
    whole = 4 * len(segments) * blocks >= FULL or longest <= 2 * SHORTEST
    pieces = -(-segments.total * blocks // (FULL * SHORTEST))
    size = max(longest, 1) if whole else max(pieces, 1) * SHORTEST
    key = size, device
    known = _plans.setdefault(segments, {})
    if key not in known:
        table, first_chunks = _table(segments, size)
        last = table[-1] if len(table) else torch.zeros(COLUMNS, dtype=torch.int64, device="cpu")
        kept = int(last[3] - (-last[1] // KEEP))
        known[key] = Plan(table.to(device), first_chunks.to(device), len(table), kept, whole)
    return known[key]


def _table(
    segments: Segments, size: int
) -> tuple[Int64[Tensor, "chunks columns"], Int64[Tensor, " boundaries"]]:
    """One row per chunk; an empty sequence has one, so that its state passes through."""
    lengths = torch.tensor(segments.lengths, dtype=torch.int64, device="cpu")
    starts = torch.tensor(segments.starts, dtype=torch.int64, device="cpu")
    counts = (lengths + size - 1).div(size, rounding_mode="floor").clamp(min=1)
    first_chunks = _starts(counts)
    sequence = torch.repeat_interleave(counts)
    chunks = torch.arange(len(sequence), dtype=torch.int64, device="cpu")
    position = (chunks - first_chunks[sequence]) * size
    tokens = (lengths[sequence] - position).clamp(max=size)
    first = starts[sequence] + position
    kept = _starts((tokens + KEEP - 1).div(KEEP, rounding_mode="floor"))[:-1]
    return torch.stack((first, tokens, sequence, kept), dim=1), first_chunks


def _starts(counts: Int64[Tensor, " parts"]) -> Int64[Tensor, " boundaries"]:
    return torch.cat((counts.new_zeros(1), counts.cumsum(0)))
