"""The door to attention: which implementation runs, for a prompt and for one token at a time."""

from jaxtyping import Float
from torch import Tensor

from jamba_reader.key_value_memory import KeyValueMemory
from jamba_reader.ops.attention import reference
from jamba_reader.ops.selection import Implementation
from jamba_reader.segments import Segments


def attention(
    query: Float[Tensor, "tokens heads head_dim"],
    key: Float[Tensor, "tokens kv_heads head_dim"],
    value: Float[Tensor, "tokens kv_heads head_dim"],
    segments: Segments,
    memory: KeyValueMemory | None = None,
    *,
    scale: float,
    dropout: float = 0.0,
    implementation: Implementation = "auto",
) -> Float[Tensor, "tokens heads head_dim"]:
    """Causal grouped-query attention of packed sequences, without positions.

    Args:
        query: of this call's tokens.
        key: of this call's tokens.
        value: of this call's tokens.
        segments: which tokens belong to which sequence.
        memory: of the sequences, **already holding this call's tokens** at the end; query i of a
            sequence sees what the memory held before this call and the tokens 0 … i of this call.
        scale: of the scores, usually 1 / √head_dim.
        dropout: share of attention weights dropped; above 0 only while training.
        implementation: which kernel.

    Raises:
        ConfigError: the kernel does not run on the operands' device.
    """
    if memory is None:
        return reference.attention(query, key, value, segments, scale=scale, dropout=dropout)
    return reference.attention_with_memory(
        query, memory.keys, memory.values, segments, memory.lengths, scale=scale, dropout=dropout
    )
