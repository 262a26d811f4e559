"""A block of sequences through all layers, in one call that holds no lock of Python."""

from typing import no_type_check

from spider.compilation import njit
from spider.encoders.transformer.engine.amx.attention import attend
from spider.encoders.transformer.engine.amx.layout import layer_at
from spider.encoders.transformer.engine.amx.normalisation import embed, normalise_states
from spider.encoders.transformer.engine.amx.products import (
    add_to_states,
    write_inner,
    write_triples,
)
from spider.encoders.transformer.engine.amx.tiles import save_configuration, set_configuration


@njit(nogil=True, error_model="numpy")
@no_type_check
def run_block(shape, embedding, layers, buffers, ids, positions, offsets):
    """Write the last layer's states of a block's tokens to ``buffers.states``.

    Args:
        shape: sizes of the encoder.
        embedding: addresses of the embeddings.
        layers: addresses of each layer's weights, in the order of ``Layer``.
        buffers: what this thread writes.
        ids: token ids of the block, end to end.
        positions: row of the position embeddings of each token.
        offsets: where each sequence begins, and the number of tokens.
    """
    save_configuration(buffers.previous)
    set_configuration(buffers.configuration)
    tokens = len(ids)
    embed(shape, embedding, buffers, ids, positions)
    for number in range(shape.layers):
        layer = layer_at(layers, number)
        write_triples(shape, buffers, layer.states, layer.states_bias, tokens)
        attend(shape, embedding, buffers, offsets)
        columns = shape.heads * shape.head
        add_to_states(
            shape, buffers, buffers.context, columns, layer.output, layer.output_bias, tokens
        )
        normalise_states(shape, buffers, layer.output_scale, layer.output_shift, tokens)
        write_inner(shape, buffers, layer.inner, layer.inner_bias, tokens)
        add_to_states(
            shape, buffers, buffers.inner, shape.inner, layer.outer, layer.outer_bias, tokens
        )
        normalise_states(shape, buffers, layer.outer_scale, layer.outer_shift, tokens)
    set_configuration(buffers.previous)
