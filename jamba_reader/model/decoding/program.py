"""Runs one decoding step of a model on a CPU, from a table of its weights' addresses.

A step of a small model is short: with one call per module and operation, a quarter of its time went
to the calls. Here everything between two attention layers is one call of numba. Keys and values,
whose memory grows and is shared by forks, are left to the layers' own code.
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
from jamba_reader.ops.decode_step.op import MOST_ROWS, Step
from jamba_reader.ops.decode_step.operands import Shape, kind_of
from jamba_reader.ops.segments import Segments


class _Table(NamedTuple):
    """The parts of a model, valid as long as ``reading`` holds.

    Attributes:
        reading: of the model.
        parts: a row each; None where the kernels cannot read them.
        mixers: row of each layer's mixer.
    """

    reading: Reading
    parts: np.ndarray | None
    mixers: list[int]


class DecodeStep:
    """Runs one token of each sequence through a model's weights, wherever they are now.

    Args:
        config: shape of the model.
    """

    def __init__(self, config: JambaConfig):
        self.config = config
        self._table: _Table | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return the settings: addresses mean nothing to a copy."""
        return {**self.__dict__, "_table": None}

    def run(
        self, backbone: Backbone, head: nn.Module, tokens: Tensor, cache: Cache
    ) -> Tensor | None:
        """Return the logits ``[sequences, vocabulary]`` after these tokens; the cache moves on.

        Returns None and does nothing where the layers have to run: with more than ``MOST_ROWS``
        sequences, with hooks, or with modules that are not the model's own. The same holds for a
        dtype or a state that the kernels do not read.

        Args:
            backbone: all of the model but its head.
            head: of the language model.
            tokens: one of each of the cache's sequences, ids of the vocabulary.
            cache: what earlier calls left.

        Raises:
            DataError: the call before ended halfway, or the cache is another model's.
        """
        if not 0 < len(tokens) <= MOST_ROWS or len(tokens) != cache.sequences:
            return None
        # the kernels write as much as the config says
        cache.check_fits(self.config)
        table = self._table
        if table is None or not table.reading.holds(head):
            # do not keep the table of weights that were replaced
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
    """Read where the weights are now."""
    reading = Reading()
    rows = find_parts(config, backbone, head, reading)
    parts = np.zeros((len(rows), operands.COLUMNS), np.int64)
    for place, row in enumerate(rows):
        parts[place, : len(row)] = row
    mixers = (operands.MAMBA, operands.QUERY_KEY_VALUE)
    places = [place for place, row in enumerate(rows) if row[0] in mixers]
    return _Table(reading, parts if can_be_read(backbone, head) else None, places)


def _readable(cache: Cache, dtype: torch.dtype) -> bool:
    """Return whether the kernels can go on from the states, whose shapes were checked."""
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
