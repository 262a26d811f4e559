"""Embeddings and layer normalisation: one pass over a token's state, which is written twice."""

import math
from typing import no_type_check

import numpy as np

from spider.compilation import njit
from spider.encoders.transformer.engine.amx.layout import place_in_tiles, store_planes
from spider.kernels.lanes import broadcast, fma, load, store, sum_of_lanes


@njit
@no_type_check
def _normalise(shape, buffers, scale, shift, token):
    """Normalise the state of one token; write it as float32 and as planes in tiles."""
    row = buffers.states + 4 * token * shape.width
    total = broadcast(np.float32(0))
    for c in range(0, 4 * shape.hidden, 64):
        total = total + load(row + c)
    mean = broadcast(sum_of_lanes(total) / np.float32(shape.hidden))
    squares = broadcast(np.float32(0))
    for c in range(0, 4 * shape.hidden, 64):
        rest = load(row + c) - mean
        squares = fma(rest, rest, squares)
    variance = sum_of_lanes(squares) / np.float32(shape.hidden) + np.float32(shape.epsilon)
    factor = broadcast(np.float32(1) / math.sqrt(variance))
    plane = 2 * buffers.rows * shape.width
    for c in range(0, shape.hidden, 16):
        value = (load(row + 4 * c) - mean) * factor
        value = fma(value, load(scale + 4 * c), load(shift + 4 * c))
        store(row + 4 * c, value)
        place = place_in_tiles(buffers.states_tiles, token, c, shape.width) + 2 * (c & 16)
        store_planes(shape.planes, place, plane, value)


@njit
@no_type_check
def normalise_states(shape, buffers, scale, shift, tokens):
    """Normalise the states of all tokens."""
    for token in range(tokens):
        _normalise(shape, buffers, scale, shift, token)


@njit
@no_type_check
def embed(shape, embedding, buffers, ids, positions):
    """Write the normalised sum of word and position embeddings."""
    for token in range(len(ids)):
        word = embedding.words + 4 * ids[token] * shape.hidden
        position = embedding.positions + 4 * positions[token] * shape.hidden
        row = buffers.states + 4 * token * shape.width
        for c in range(0, 4 * shape.hidden, 64):
            store(row + c, load(word + c) + load(position + c))
        _normalise(shape, buffers, embedding.scale, embedding.shift, token)
