"""The weights of a BERT-like encoder, whatever its library calls them.

BERT, RoBERTa (XLM-RoBERTa, CamemBERT), DistilBERT and MPNet compute the same thing: embeddings of
words and positions, then layers of attention and of a feed-forward part with GELU, each followed by
a residual sum and a layer normalisation. They differ in names, in how positions are counted, and
MPNet adds a learned number for each distance of query and key.
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float32
from torch import Tensor


@dataclass(frozen=True)
class Affine:
    """``x @ weight.T + bias``."""

    weight: Float32[Tensor, "outputs inputs"]
    bias: Float32[Tensor, " outputs"]


@dataclass(frozen=True)
class Norm:
    """Layer normalisation."""

    scale: Float32[Tensor, " hidden"]
    shift: Float32[Tensor, " hidden"]


@dataclass(frozen=True)
class Layer:
    """One layer."""

    query: Affine
    key: Affine
    value: Affine
    output: Affine
    output_norm: Norm
    inner: Affine
    outer: Affine
    outer_norm: Norm


@dataclass(frozen=True)
class EncoderWeights:
    """A whole encoder.

    Attributes:
        words: one row an id.
        positions: one row a position; the embedding of the only token type is added.
        norm: of the embeddings.
        layers: first to last.
        heads: attention heads of each layer.
        epsilon: of every normalisation.
        padding_id: where positions are counted from this id on and a token with this id has this
            position (RoBERTa, MPNet); None where they are counted from 0.
        distances: what attention adds at the distances ``1 - longest`` to ``longest - 1`` of key
            and query; None for nothing.
    """

    words: Float32[Tensor, "words hidden"]
    positions: Float32[Tensor, "positions hidden"]
    norm: Norm
    layers: tuple[Layer, ...]
    heads: int
    epsilon: float
    padding_id: int | None = None
    distances: Float32[Tensor, "heads distances"] | None = None

    @property
    def hidden(self) -> int:
        """Numbers of a state."""
        return self.words.shape[1]

    @property
    def inner(self) -> int:
        """Columns between the two products of the feed-forward part."""
        return self.layers[0].inner.weight.shape[0] if self.layers else 0

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence that has positions."""
        return len(self.positions) - (0 if self.padding_id is None else self.padding_id + 1)


def supports(model: Any) -> bool:
    """Return whether a transformers model is one of those that the engine computes."""
    config, kind = model.config, type(model).__name__
    if config.model_type not in _READERS or kind not in _CLASSES:
        return False
    activation = getattr(config, "activation" if kind == "DistilBertModel" else "hidden_act", None)
    return (
        activation == "gelu"
        and config.hidden_size % 16 == 0
        and config.hidden_size % config.num_attention_heads == 0
        and not getattr(config, "is_decoder", False)
        and not getattr(config, "add_cross_attention", False)
        and getattr(config, "position_embedding_type", None) in (None, "absolute")
    )


def read_weights(model: Any) -> EncoderWeights:
    """Take the weights out of a model that ``supports`` accepts; float32 weights are not copied."""
    with torch.no_grad():
        return _READERS[model.config.model_type](model)


def _matrix(parameter: Tensor) -> Tensor:
    return parameter.detach().to("cpu", torch.float32).contiguous()


def _affine(module: Any) -> Affine:
    return Affine(_matrix(module.weight), _matrix(module.bias))


def _norm(module: Any) -> Norm:
    return Norm(_matrix(module.weight), _matrix(module.bias))


def _bert_layer(layer: Any) -> Layer:
    attention, output = layer.attention.self, layer.attention.output
    return Layer(
        query=_affine(attention.query),
        key=_affine(attention.key),
        value=_affine(attention.value),
        output=_affine(output.dense),
        output_norm=_norm(output.LayerNorm),
        inner=_affine(layer.intermediate.dense),
        outer=_affine(layer.output.dense),
        outer_norm=_norm(layer.output.LayerNorm),
    )


def _bert(model: Any) -> EncoderWeights:
    embeddings, config = model.embeddings, model.config
    positions = embeddings.position_embeddings.weight + embeddings.token_type_embeddings.weight[0]
    return EncoderWeights(
        words=_matrix(embeddings.word_embeddings.weight),
        positions=_matrix(positions),
        norm=_norm(embeddings.LayerNorm),
        layers=tuple(_bert_layer(layer) for layer in model.encoder.layer),
        heads=config.num_attention_heads,
        epsilon=config.layer_norm_eps,
        padding_id=None if config.model_type == "bert" else embeddings.padding_idx,
    )


def _distilbert_layer(layer: Any) -> Layer:
    attention, feed_forward = layer.attention, layer.ffn
    return Layer(
        query=_affine(attention.q_lin),
        key=_affine(attention.k_lin),
        value=_affine(attention.v_lin),
        output=_affine(attention.out_lin),
        output_norm=_norm(layer.sa_layer_norm),
        inner=_affine(feed_forward.lin1),
        outer=_affine(feed_forward.lin2),
        outer_norm=_norm(layer.output_layer_norm),
    )


def _distilbert(model: Any) -> EncoderWeights:
    embeddings = model.embeddings
    return EncoderWeights(
        words=_matrix(embeddings.word_embeddings.weight),
        positions=_matrix(embeddings.position_embeddings.weight),
        norm=_norm(embeddings.LayerNorm),
        layers=tuple(_distilbert_layer(layer) for layer in model.transformer.layer),
        heads=model.config.num_attention_heads,
        epsilon=embeddings.LayerNorm.eps,
    )


def _mpnet_layer(layer: Any) -> Layer:
    attention = layer.attention.attn
    return Layer(
        query=_affine(attention.q),
        key=_affine(attention.k),
        value=_affine(attention.v),
        output=_affine(attention.o),
        output_norm=_norm(layer.attention.LayerNorm),
        inner=_affine(layer.intermediate.dense),
        outer=_affine(layer.output.dense),
        outer_norm=_norm(layer.output.LayerNorm),
    )


def _mpnet(model: Any) -> EncoderWeights:
    embeddings, encoder = model.embeddings, model.encoder
    positions = _matrix(embeddings.position_embeddings.weight)
    reach = len(positions) - 1 - embeddings.padding_idx - 1
    # the model's number of buckets is a default of the function, whatever its configuration says
    buckets = encoder.relative_position_bucket(torch.arange(-reach, reach + 1))
    return EncoderWeights(
        words=_matrix(embeddings.word_embeddings.weight),
        positions=positions,
        norm=_norm(embeddings.LayerNorm),
        layers=tuple(_mpnet_layer(layer) for layer in encoder.layer),
        heads=model.config.num_attention_heads,
        epsilon=model.config.layer_norm_eps,
        padding_id=embeddings.padding_idx,
        distances=_matrix(encoder.relative_attention_bias.weight[buckets].T),
    )


_READERS = {
    "bert": _bert,
    "roberta": _bert,
    "xlm-roberta": _bert,
    "camembert": _bert,
    "distilbert": _distilbert,
    "mpnet": _mpnet,
}
_CLASSES = {
    "BertModel",
    "RobertaModel",
    "XLMRobertaModel",
    "CamembertModel",
    "DistilBertModel",
    "MPNetModel",
}
