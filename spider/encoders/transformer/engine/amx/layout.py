"""Where numbers lie for the tile products, and the addresses that the kernels get.

The left matrix of a product is kept in tiles: sixteen rows and 32 columns are one kilobyte, so a
tile is loaded from consecutive cache lines. ``place_in_tiles`` gives the place of a row's 32
columns. Split numbers have a second plane of the same layout for the rests.
"""

from typing import NamedTuple, no_type_check

from spider.compilation import njit
from spider.encoders.transformer.engine.amx.tiles import (
    TILE,
    multiply,
    multiply_split,
    rest_of_rounding,
    store_rounded,
)


class Shape(NamedTuple):
    """Sizes of an encoder; every width is a multiple of 32.

    Attributes:
        planes: 2 where numbers are split into a rounded part and its rest, else 1.
        hidden: numbers of a state.
        width: columns of a state's row in memory.
        heads: attention heads.
        head: columns of a head.
        inner: columns between the two products of the feed-forward part.
        layers: number of layers.
        epsilon: of the layer normalisation.
    """

    planes: int
    hidden: int
    width: int
    heads: int
    head: int
    inner: int
    layers: int
    epsilon: float


class Embedding(NamedTuple):
    """Addresses of the embeddings, float32, ``hidden`` columns, and of what attention adds.

    Attributes:
        words: one row an id.
        positions: one row a position, with the embedding of the token type.
        scale: of the normalisation.
        shift: of the normalisation.
        distances: for each head, what is added to the scores at each distance of key and query; 0
            for none.
        reach: distances of a head lie from ``-reach``; a head has ``2 * reach + 32`` numbers.
    """

    words: int
    positions: int
    scale: int
    shift: int
    distances: int
    reach: int


class Layer(NamedTuple):
    """Addresses of one layer's weights: tiles of each product, and float32 vectors."""

    states: int
    states_bias: int
    output: int
    output_bias: int
    output_scale: int
    output_shift: int
    inner: int
    inner_bias: int
    outer: int
    outer_bias: int
    outer_scale: int
    outer_shift: int


class Buffers(NamedTuple):
    """Addresses of what one thread writes; rows are those of a block of tokens.

    Attributes:
        rows: tokens that fit, a multiple of 32.
        longest: tokens of a sequence that fit, a multiple of 32.
        states: float32 ``[rows, width]``: the residual stream, and the result.
        states_tiles: planes of the states, in tiles.
        triples: planes of queries, keys and values, ``[rows + 32, 3 * heads * head]`` bfloat16.
        context: planes of what attention returns, in tiles.
        inner: planes of the feed-forward part, in tiles.
        keys: tiles of one head's keys.
        values: tiles of one head's values.
        scores: float32 ``[32, longest]``.
        weights: planes of the softmax of 32 queries, in tiles.
        sums: float32 ``[32, 32]`` of one product.
        mask: 32 zeros and 32 numbers that hide a key.
        zeros: 64 bytes of zeros.
        configuration: 64 bytes for the tile registers.
        previous: 64 bytes where the registers' former configuration is kept.
    """

    rows: int
    longest: int
    states: int
    states_tiles: int
    triples: int
    context: int
    inner: int
    keys: int
    values: int
    scores: int
    weights: int
    sums: int
    mask: int
    zeros: int
    configuration: int
    previous: int


@njit
@no_type_check
def layer_at(layers, number):
    """Take one layer's addresses out of the array of all layers."""
    at = layers[number]
    return Layer(
        at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7], at[8], at[9], at[10], at[11]
    )


@njit
@no_type_check
def place_in_tiles(start, row, column, columns):
    """Address of the 32 columns that begin at ``column``, of a matrix in tiles."""
    return start + ((row >> 4) * (columns >> 5) + (column >> 5)) * TILE + (row & 15) * 64


@njit
@no_type_check
def store_planes(planes, address, plane, value):
    """Write sixteen numbers as bfloat16, and their rests where numbers are split."""
    store_rounded(address, value)
    if planes == 2:
        store_rounded(address + plane, rest_of_rounding(value))


@njit
@no_type_check
def product(planes, a, a_half, a_stride, a_step, a_plane, b, b_half, steps, c, c_stride):
    """Write 32 by 32 sums at ``c``; see ``multiply``."""
    if planes == 2:
        multiply_split(a, a_half, a_stride, a_step, a_plane, b, b_half, steps, c, c_stride)
    else:
        multiply(a, a_half, a_stride, a_step, a_plane, b, b_half, steps, c, c_stride)


@njit
@no_type_check
def tile_product(planes, a, a_plane, row, columns, b, c):
    """Multiply 32 rows of a matrix in tiles with 32 columns of packed weights."""
    steps = columns >> 5
    half = steps * TILE
    start = a + (row >> 4) * half
    product(planes, start, half, 64, TILE, a_plane, b, half * planes, steps, c, 128)
