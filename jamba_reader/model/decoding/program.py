"""Computes one more token of each sequence on a CPU, from a table of the weights' addresses.

In a small model a step is short. With modules and one call per operation, a quarter of its time
passed between the operations. Here one call of numba computes all operations between two attention
layers. The code of the layers handles keys and values, whose memory grows and is shared by forks.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from jamba_reader.cache.cache import Cache
from jamba_reader.cache.mamba_state import MambaState
from jamba_reader.config import JambaConfig
from jamba_reader.model.decoding.reading import NotOurs, Reading
from jamba_reader.model.decoding.weights import can_be_read, find_parts
from jamba_reader.model.layers.backbone import Backbone
from jamba_reader.ops.activation import activation_code
from jamba_reader.ops.attention.key_value_memory import KeyValueMemory
from jamba_reader.ops.attention.op import attention
from jamba_reader.ops.decode_step import operands
from jamba_reader.ops.decode_step.op import Step
from jamba_reader.ops.decode_step.operands import Shape, kind_of
from jamba_reader.ops.row_limits import step_rows
from jamba_reader.ops.segments import Segments


class _Table(NamedTuple):
    """The parts of a model, which are valid while the reading of the model is.

    Attributes:
        reading: the facts that were read from the model.
        parts: one row for each part; None if the kernels cannot read the weights.
        mixers: the first row of each layer's mixer.
    """

    reading: Reading
    parts: np.ndarray | None
    mixers: list[int]


class DecodeStep:
    """Computes one token of each sequence with the present weights of a model.

    Args:
        config: shape of the model.
    """

    def __init__(self, config: JambaConfig):
        self.config = config
        self._table: _Table | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the table, whose addresses are not valid for a copy."""
        return {**self.__dict__, "_table": None}

    def run(
        self, backbone: Backbone, head: nn.Module, tokens: Tensor, cache: Cache
    ) -> Tensor | None:
        """Return the logits ``[sequences, vocabulary]`` after these tokens; the cache advances.

        In some cases the layers have to compute the step: it returns None and changes nothing.
        These are more than ``step_rows`` sequences, a dtype or a state that the kernels do not
        read, hooks, and modules of other classes.

        Args:
            backbone: the model without its head.
            head: the head of the language model.
            tokens: one token id for each sequence of the cache.
            cache: the state after earlier calls.

        Raises:
            DataError: the last call failed halfway, or the cache belongs to another model or has
                another data type.
        """
        weight = backbone.embed_tokens.weight
        most = step_rows(weight.dtype, self.config.hidden_size)
        if not 0 < len(tokens) <= most or len(tokens) != cache.sequences:
            return None
        # the configuration decides how many numbers the kernels write
        cache.check_fits(self.config, weight.dtype, weight.device)
        table = self._table
        if table is None or not table.reading.holds(head):
            # nothing is kept of deleted weights
            self._table = None
            try:
                table = self._table = _read(self.config, backbone, head)
            except NotOurs:
                return None
        embedding = backbone.embed_tokens.weight
        kind = kind_of(embedding.dtype)
        if table.parts is None or kind is None or not _readable(cache, embedding.dtype):
            return None
        stream = embedding.index_select(0, tokens)
        logits = stream.new_empty(len(stream), head.get_parameter("weight").shape[0])
        shape = _shape(self.config, kind, stream, logits)
        self._run(shape, table.parts.copy(), table.mixers, stream, logits, cache)
        return logits

    def _run(
        self,
        shape: Shape,
        parts: np.ndarray,
        mixers: list[int],
        stream: Tensor,
        logits: Tensor,
        cache: Cache,
    ) -> None:
        config, segments = self.config, Segments([1] * len(stream))
        after = _follow(cache, mixers, parts)
        step = Step(shape, config.head_dim, config.rms_norm_eps, stream, logits)
        first = 0
        for layer, mixer in enumerate(config.mixers):
            if mixer != "attention":
                continue
            place = mixers[layer] + 1
            step.run(parts, first, place)
            held = cache.memories[layer].append(step.key, step.value, segments)
            after[layer] = held
            heads = step.query, step.key, step.value
            scale = config.head_dim**-0.5
            step.mixed = attention(*heads, segments, held, scale=scale).contiguous()
            first = place
        step.run(parts, first, len(parts))
        for layer in range(len(mixers)):
            cache.set_layer(layer, after[layer])
        cache.advance(segments)


def _read(config: JambaConfig, backbone: Backbone, head: nn.Module) -> _Table:
    """Read the present addresses of the weights."""
    reading = Reading()
    rows = find_parts(config, backbone, head, reading)
    parts = np.zeros((len(rows), operands.COLUMNS), np.int64)
    for place, row in enumerate(rows):
        parts[place, : len(row)] = row
    mixers = (operands.MAMBA, operands.QUERY_KEY_VALUE)
    places = [place for place, row in enumerate(rows) if row[0] in mixers]
    return _Table(reading, parts if can_be_read(backbone, head) else None, places)


def _readable(cache: Cache, dtype: torch.dtype) -> bool:
    """Return whether the kernels can read the states, whose shapes were checked."""
    return all(
        old.state.dtype == torch.float32
        and old.history.dtype == dtype
        and old.state.is_contiguous()
        and old.history.is_contiguous()
        and old.state.is_cpu
        and old.history.is_cpu
        for old in cache.mamba.values()
    ) and all(
        memory.keys.dtype == memory.values.dtype == dtype and memory.keys.is_cpu
        for memory in cache.memories.values()
    )


def _follow(
    cache: Cache, mixers: list[int], parts: np.ndarray
) -> dict[int, MambaState | KeyValueMemory]:
    """Put the addresses of old and new states into the parts; return the new ones by layer."""
    after: dict[int, MambaState | KeyValueMemory] = {}
    for layer, place in enumerate(mixers):
        before = cache.layer(layer)
        if isinstance(before, MambaState):
            new = MambaState(torch.empty_like(before.state), torch.empty_like(before.history))
            parts[place, operands.STATE] = before.state.data_ptr()
            parts[place, operands.HISTORY] = before.history.data_ptr()
            parts[place, operands.NEW_STATE] = new.state.data_ptr()
            parts[place, operands.NEW_HISTORY] = new.history.data_ptr()
            after[layer] = new
    return after


def _shape(config: JambaConfig, kind: int, stream: Tensor, logits: Tensor) -> Shape:
    return Shape(
        rows=len(stream),
        kind=kind,
        hidden=config.hidden_size,
        inner=config.inner_size,
        rank=config.mamba_dt_rank,
        states=config.mamba_d_state,
        window=config.mamba_d_conv,
        queries=config.num_attention_heads * config.head_dim,
        shared=config.num_key_value_heads * config.head_dim,
        intermediate=config.intermediate_size,
        experts=config.num_experts,
        chosen=config.num_experts_per_tok,
        vocabulary=logits.shape[1],
        activation=activation_code(config.hidden_act),
    )
