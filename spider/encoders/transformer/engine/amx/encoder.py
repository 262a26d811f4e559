"""Weights packed for tiles, the buffers of a thread, and the call of the kernel."""

import math

import numpy as np
import torch
from jaxtyping import BFloat16, Float32, Int64
from torch import Tensor

from spider.encoders.transformer.engine.amx.block import run_block
from spider.encoders.transformer.engine.amx.layout import Buffers, Embedding, Layer, Shape
from spider.encoders.transformer.engine.amx.tiles import SIDE, TILE
from spider.encoders.transformer.engine.weights import Affine, EncoderWeights
from spider.encoders.transformer.engine.weights import Layer as LayerWeights

HIDDEN_KEY = -1e30
LOG2E = 1.4426950408889634


def round_up(number: int) -> int:
    """Return the next multiple of 32."""
    return -(-number // SIDE) * SIDE


def split(matrix: Float32[Tensor, "..."], planes: int) -> BFloat16[Tensor, "..."]:
    """Return the numbers rounded to bfloat16, and the rounded rests where ``planes`` is 2."""
    rounded = matrix.to(torch.bfloat16)
    parts = [rounded, (matrix - rounded.float()).to(torch.bfloat16)]
    return torch.stack(parts[:planes])


def pack(weight: Float32[Tensor, "outputs inputs"], planes: int) -> BFloat16[Tensor, " numbers"]:
    """Lay a padded weight out in tiles: sixteen outputs side by side, inputs in pairs.

    The order is group of sixteen outputs, group of 32 inputs, plane, pair, output, first or second.
    """
    outputs, inputs = weight.shape
    tiles = split(weight, planes).view(planes, outputs // 16, 16, inputs // SIDE, 16, 2)
    return tiles.permute(1, 3, 0, 4, 2, 5).reshape(-1)


def padded(by: Affine, rows: int, columns: int) -> Affine:
    """Return the product with zeros for the outputs and inputs that exist in memory only."""
    weight = torch.zeros(rows, columns)
    bias = torch.zeros(rows)
    weight[: by.weight.shape[0], : by.weight.shape[1]] = by.weight
    bias[: by.bias.shape[0]] = by.bias
    return Affine(weight, bias)


class AmxEncoder:
    """An encoder whose products run on AMX.

    Args:
        weights: the encoder.
        planes: 1 for products of numbers rounded to bfloat16, 2 for products of split float32.
    """

    def __init__(self, weights: EncoderWeights, planes: int):
        head = weights.hidden // weights.heads
        self.weights = weights
        self.shape = Shape(
            planes=planes,
            hidden=weights.hidden,
            width=round_up(weights.hidden),
            heads=weights.heads,
            head=round_up(head),
            inner=round_up(weights.inner),
            layers=len(weights.layers),
            epsilon=weights.epsilon,
        )
        self._kept: list[Tensor] = []
        self._embedding = Embedding(
            words=self._keep(weights.words),
            positions=self._keep(weights.positions),
            scale=self._keep(weights.norm.scale),
            shift=self._keep(weights.norm.shift),
            distances=0 if weights.distances is None else self._keep(self._distances()),
            reach=weights.longest - 1,
        )
        layers = np.array([self._layer(layer) for layer in weights.layers], dtype=np.int64)
        self._layers = layers.reshape(-1, len(Layer._fields))

    def buffers(self, rows: int, longest: int) -> "ThreadBuffers":
        """Allocate what one thread writes, for blocks of ``rows`` tokens."""
        return ThreadBuffers(self.shape, round_up(rows), round_up(longest))

    def run(
        self,
        buffers: "ThreadBuffers",
        ids: Int64[np.ndarray, " tokens"],
        positions: Int64[np.ndarray, " tokens"],
        offsets: Int64[np.ndarray, " texts_plus_one"],
    ) -> Float32[np.ndarray, "tokens hidden"]:
        """Return the states of one block's tokens: a view of the buffers."""
        run_block(
            self.shape, self._embedding, self._layers, buffers.addresses, ids, positions, offsets
        )
        return buffers.states[: len(ids), : self.shape.hidden]

    def _keep(self, tensor: Tensor) -> int:
        tensor = tensor.contiguous()
        self._kept.append(tensor)
        return tensor.data_ptr()

    def _distances(self) -> Tensor:
        weights = self.weights
        assert weights.distances is not None  # noqa: S101
        table = torch.zeros(weights.heads, 2 * (weights.longest - 1) + SIDE)
        table[:, : weights.distances.shape[1]] = weights.distances * LOG2E
        return table

    def _by_head(self, by: Affine, scale: float) -> Affine:
        """Pad each head's columns, and the inputs."""
        heads, head, width = self.shape.heads, self.shape.head, self.shape.width
        true = by.weight.shape[0] // heads
        weight = torch.zeros(heads, head, width)
        weight[:, :true, : by.weight.shape[1]] = by.weight.view(heads, true, -1) * scale
        bias = torch.zeros(heads, head)
        bias[:, :true] = by.bias.view(heads, true) * scale
        return Affine(weight.view(heads * head, width), bias.view(-1))

    def _from_heads(self, by: Affine) -> Affine:
        """Pad the inputs, which are heads, and the outputs."""
        heads, head, width = self.shape.heads, self.shape.head, self.shape.width
        true = by.weight.shape[1] // heads
        weight = torch.zeros(width, heads, head)
        weight[: by.weight.shape[0], :, :true] = by.weight.view(-1, heads, true)
        bias = torch.zeros(width)
        bias[: by.bias.shape[0]] = by.bias
        return Affine(weight.view(width, heads * head), bias)

    def _layer(self, layer: LayerWeights) -> Layer:
        shape = self.shape
        # scores are exponents of two
        scale = LOG2E / math.sqrt(shape.hidden // shape.heads)
        triples = [self._by_head(layer.query, scale)]
        triples += [self._by_head(by, 1.0) for by in (layer.key, layer.value)]
        products = (
            Affine(torch.cat([t.weight for t in triples]), torch.cat([t.bias for t in triples])),
            self._from_heads(layer.output),
            padded(layer.inner, shape.inner, shape.width),
            padded(layer.outer, shape.width, shape.inner),
        )
        places = [
            (self._keep(pack(by.weight, shape.planes)), self._keep(by.bias)) for by in products
        ]
        norms = [
            (self._keep(norm.scale), self._keep(norm.shift))
            for norm in (layer.output_norm, layer.outer_norm)
        ]
        return Layer(
            states=places[0][0],
            states_bias=places[0][1],
            output=places[1][0],
            output_bias=places[1][1],
            output_scale=norms[0][0],
            output_shift=norms[0][1],
            inner=places[2][0],
            inner_bias=places[2][1],
            outer=places[3][0],
            outer_bias=places[3][1],
            outer_scale=norms[1][0],
            outer_shift=norms[1][1],
        )


class ThreadBuffers:
    """What one thread writes, in one piece of memory that begins as zeros.

    Args:
        shape: sizes of the encoder.
        rows: tokens of a block, a multiple of 32.
        longest: tokens of a sequence, a multiple of 32.
    """

    def __init__(self, shape: Shape, rows: int, longest: int):
        self.rows = rows
        self.longest = longest
        head = shape.heads * shape.head
        halves = 2 * shape.planes
        sizes = {
            "states": 4 * rows * shape.width,
            "states_tiles": halves * rows * shape.width,
            "triples": halves * (rows + SIDE) * 3 * head,
            "context": halves * rows * head,
            "inner": halves * rows * shape.inner,
            "keys": halves * longest * shape.head,
            "values": halves * longest * shape.head,
            "scores": 4 * SIDE * longest,
            "weights": halves * SIDE * longest,
            "sums": 4 * SIDE * SIDE,
            "mask": 4 * 2 * SIDE,
            "zeros": 64,
            "configuration": 64,
            "previous": 64,
        }
        places, total = {}, 0
        for name, size in sizes.items():
            places[name] = total
            # a step of one more cache line keeps equal columns of two areas out of one cache set
            total += -(-size // TILE) * TILE + 64
        self._memory = torch.zeros(total + 64, dtype=torch.uint8)
        start = -(-self._memory.data_ptr() // 64) * 64
        self.addresses = Buffers(
            rows=rows, longest=longest, **{name: start + at for name, at in places.items()}
        )
        whole = self._memory.numpy()[start - self._memory.data_ptr() :]

        def area(name: str) -> np.ndarray:
            return whole[places[name] : places[name] + sizes[name]]

        self.states: Float32[np.ndarray, "rows width"] = (
            area("states").view(np.float32).reshape(rows, shape.width)
        )
        area("mask").view(np.float32)[SIDE:] = HIDDEN_KEY
        configuration = area("configuration")
        configuration[0] = 1  # palette
        configuration[16:32].view(np.uint16)[:] = 64  # bytes of a row
        configuration[48:56] = 16  # rows
