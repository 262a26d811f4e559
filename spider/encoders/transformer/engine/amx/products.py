"""The four products of a layer; what follows each product is done while its sums are in the cache.

A product goes by panels of 64 rows. The weights, at most some megabytes, pass from the second-level
cache once for each panel, and the panel's rows stay near. Measured at 1,024 rows, 384 inputs and
1,152 outputs: 1,470 GFLOP/s, where all rows at once for each 32 outputs reach 1,020.
"""

from typing import no_type_check

from spider.compilation import njit
from spider.encoders.transformer.engine.amx.layout import (
    place_in_tiles,
    store_planes,
    tile_product,
)
from spider.encoders.transformer.engine.amx.tiles import SIDE, TILE
from spider.encoders.transformer.engine.gelu import gelu
from spider.kernels.lanes import load, store

PANEL = 64
"""Rows that meet all weights of a product before the next rows do."""


@njit
@no_type_check
def _write_triples(shape, buffers, weight, bias, begin, end):
    """Write queries, keys and values of all heads as bfloat16, row by row."""
    planes, inputs = shape.planes, shape.width
    columns = 3 * shape.heads * shape.head
    sums, a_plane = buffers.sums, 2 * buffers.rows * inputs
    plane = 2 * (buffers.rows + SIDE) * columns
    between = (inputs >> 5) * planes * TILE
    for n in range(0, columns, SIDE):
        b = weight + (n >> 4) * between
        first, second = load(bias + 4 * n), load(bias + 4 * n + 64)
        for m in range(begin, end, SIDE):
            tile_product(planes, buffers.states_tiles, a_plane, m, inputs, b, sums)
            for r in range(SIDE):
                place = buffers.triples + 2 * ((m + r) * columns + n)
                store_planes(planes, place, plane, load(sums + 128 * r) + first)
                store_planes(planes, place + 32, plane, load(sums + 128 * r + 64) + second)


@njit
@no_type_check
def _write_inner(shape, buffers, weight, bias, begin, end):
    """Write the activated inner columns of the feed-forward part, in tiles."""
    planes, inputs, columns = shape.planes, shape.width, shape.inner
    sums, a_plane = buffers.sums, 2 * buffers.rows * inputs
    plane = 2 * buffers.rows * columns
    between = (inputs >> 5) * planes * TILE
    for n in range(0, columns, SIDE):
        b = weight + (n >> 4) * between
        first, second = load(bias + 4 * n), load(bias + 4 * n + 64)
        for m in range(begin, end, SIDE):
            tile_product(planes, buffers.states_tiles, a_plane, m, inputs, b, sums)
            for r in range(SIDE):
                place = place_in_tiles(buffers.inner, m + r, n, columns)
                store_planes(planes, place, plane, gelu(load(sums + 128 * r) + first))
                store_planes(planes, place + 32, plane, gelu(load(sums + 128 * r + 64) + second))


@njit
@no_type_check
def _add_to_states(shape, buffers, source, inputs, weight, bias, begin, end):
    """Add a product and its bias to the states."""
    planes, sums, a_plane = shape.planes, buffers.sums, 2 * buffers.rows * inputs
    between = (inputs >> 5) * planes * TILE
    for n in range(0, shape.width, SIDE):
        b = weight + (n >> 4) * between
        first, second = load(bias + 4 * n), load(bias + 4 * n + 64)
        for m in range(begin, end, SIDE):
            tile_product(planes, source, a_plane, m, inputs, b, sums)
            # rows beyond the tokens are never normalised: they would grow without bound
            for r in range(min(SIDE, end - m)):
                place = buffers.states + 4 * ((m + r) * shape.width + n)
                store(place, load(place) + (load(sums + 128 * r) + first))
                second_sum = load(sums + 128 * r + 64) + second
                store(place + 64, load(place + 64) + second_sum)


@njit
@no_type_check
def write_triples(shape, buffers, weight, bias, tokens):
    """Write queries, keys and values of all heads."""
    for begin in range(0, tokens, PANEL):
        _write_triples(shape, buffers, weight, bias, begin, min(begin + PANEL, tokens))


@njit
@no_type_check
def write_inner(shape, buffers, weight, bias, tokens):
    """Write the activated inner columns of the feed-forward part."""
    for begin in range(0, tokens, PANEL):
        _write_inner(shape, buffers, weight, bias, begin, min(begin + PANEL, tokens))


@njit
@no_type_check
def add_to_states(shape, buffers, source, inputs, weight, bias, tokens):
    """Add a product of ``source``, a matrix in tiles, and the bias to the states."""
    for begin in range(0, tokens, PANEL):
        end = min(begin + PANEL, tokens)
        _add_to_states(shape, buffers, source, inputs, weight, bias, begin, end)
