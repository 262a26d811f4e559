"""The encoder as formulas, one sequence at a time: what every fast path is compared with.

Vaswani et al. 2017 (attention), Devlin et al. 2019 (BERT), Hendrycks and Gimpel 2016 (GELU), Ba et
al. 2016 (layer normalisation), Song et al. 2020 (MPNet's relative positions).
"""

import math

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from spider.encoders.transformer.engine.weights import Affine, EncoderWeights, Layer, Norm


def affine(x: Float32[Tensor, "tokens inputs"], by: Affine) -> Float32[Tensor, "tokens outputs"]:
    """Multiply and add the bias."""
    return x @ by.weight.T + by.bias


def normalise(
    x: Float32[Tensor, "tokens hidden"], by: Norm, epsilon: float
) -> Float32[Tensor, "tokens hidden"]:
    """Give each row mean 0 and variance 1, then scale and shift."""
    centred = x - x.mean(dim=1, keepdim=True)
    variance = centred.square().mean(dim=1, keepdim=True)
    return centred / torch.sqrt(variance + epsilon) * by.scale + by.shift


def gelu(x: Float32[Tensor, "*shape"]) -> Float32[Tensor, "*shape"]:
    """Multiply by the normal distribution function."""
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def positions_of(ids: Int64[Tensor, " tokens"], padding_id: int | None) -> Int64[Tensor, " tokens"]:
    """Return the row of the position embeddings of each token of one sequence."""
    if padding_id is None:
        return torch.arange(len(ids))
    counted = ids != padding_id
    return padding_id + torch.cumsum(counted, 0) * counted


def attend(
    x: Float32[Tensor, "tokens hidden"], layer: Layer, encoder: EncoderWeights
) -> Float32[Tensor, "tokens hidden"]:
    """Attention of all heads, before its output product."""
    tokens = len(x)
    query, key, value = (
        affine(x, by).view(tokens, encoder.heads, -1).transpose(0, 1)
        for by in (layer.query, layer.key, layer.value)
    )
    scores = query @ key.transpose(1, 2) / math.sqrt(query.shape[-1])
    if encoder.distances is not None:
        reach = encoder.distances.shape[1] // 2
        places = torch.arange(tokens)
        scores = scores + encoder.distances[:, places[None, :] - places[:, None] + reach]
    weights = torch.softmax(scores, dim=-1)
    return (weights @ value).transpose(0, 1).reshape(tokens, -1)


def states(
    ids: Int64[Tensor, " tokens"], encoder: EncoderWeights
) -> Float32[Tensor, "tokens hidden"]:
    """Return the last layer's states of one sequence."""
    rows = positions_of(ids, encoder.padding_id)
    x = normalise(encoder.words[ids] + encoder.positions[rows], encoder.norm, encoder.epsilon)
    for layer in encoder.layers:
        x = x + affine(attend(x, layer, encoder), layer.output)
        x = normalise(x, layer.output_norm, encoder.epsilon)
        x = x + affine(gelu(affine(x, layer.inner)), layer.outer)
        x = normalise(x, layer.outer_norm, encoder.epsilon)
    return x
