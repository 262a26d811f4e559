"""How the decode kernels divide their work, and the shapes that they need."""

import math
from typing import NamedTuple, no_type_check

import numpy as np
from torch import Tensor
from torch.nn.functional import pad

from jamba_reader.ops.attention.cpu.blocks import BLOCK, TILE
from jamba_reader.ops.machine.threads import match_threads
from spider.compilation import njit
from spider.kernels.lanes import WIDTH

LOG2E = math.log2(math.e)
LN2 = np.float32(math.log(2))
_PIECE_TOKENS = 256
# one core reads about this many bytes while the threads start
_WORTH_THREADS = 400_000


class Plan(NamedTuple):
    """How the work is divided.

    Attributes:
        pieces: the number of pieces of each sequence and key head.
        workers: the number of workers that share all pieces.
        heads: the number of heads of a group, rounded up to whole tiles.
        width: the width of a row, rounded up to whole lanes.
        scratch: float32 that a worker needs besides its operands.
    """

    pieces: int
    workers: int
    heads: int
    width: int
    scratch: int


def plan_work(query: Tensor, keys: Tensor, longest: int) -> Plan:
    """Divide the work on sequences of up to ``longest`` tokens."""
    sequences, kv_heads, _, head_dim = keys.shape
    group = query.shape[1] // kv_heads
    heads = -(-group // TILE) * TILE
    width = -(-head_dim // WIDTH) * WIDTH
    workers = match_threads()
    size = 2 * sequences * kv_heads * longest * head_dim * keys.element_size()
    pieces = 1
    if size < _WORTH_THREADS:
        workers = 1
    if workers > 1:
        # four pieces for each worker: with sequences of uneven length, workers still end together
        wanted = -(-4 * workers // (sequences * kv_heads))
        pieces = max(1, min(wanted, longest // _PIECE_TOKENS))
    scratch = 2 * BLOCK * width + 2 * heads * BLOCK + heads * WIDTH
    return Plan(pieces, workers, heads, width, scratch)


def in_tiles(rows: Tensor, kv_heads: int, plan: Plan) -> Tensor:
    """Return ``[sequences, heads, head_dim]`` in float32 as whole tiles, zeros in the gaps."""
    sequences, heads, head_dim = rows.shape
    group = heads // kv_heads
    grouped = rows.float().view(sequences, kv_heads, group, head_dim)
    if plan.heads != group or plan.width != head_dim:
        return pad(grouped, (0, plan.width - head_dim, 0, plan.heads - group))
    return grouped.contiguous()


def byte_strides(tensor: Tensor) -> tuple[int, int, int]:
    """Return the bytes from one sequence, head and token to the next."""
    size = tensor.element_size()
    sequence, head, token, _ = tensor.stride()
    return sequence * size, head * size, token * size


@njit(error_model="numpy")
@no_type_check
def piece_bounds(task, shape, lengths):
    """Return sequence, key head, first token and end of one piece of work."""
    pieces = shape[2]
    sequence = task // (shape[1] * pieces)
    blocks = -(-lengths[sequence] // BLOCK)
    share = -(-blocks // pieces) * BLOCK
    start = min(task % pieces * share, lengths[sequence])
    return sequence, task // pieces % shape[1], start, min(start + share, lengths[sequence])
