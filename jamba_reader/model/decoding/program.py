"""One more token of each sequence on a CPU: the weights as a table, and the run through it.

A step of a small model is short: through modules, with one call per operation, a quarter of it went
by between the operations. Here the weights' addresses stand in a table, and everything between two
attention layers is one call of numba. Keys and values, whose memory grows and is shared by forks,
are left to the layers' own code.
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
from jamba_reader.ops.attention.key_value_memory import KeyValueMemory
from jamba_reader.ops.attention.op import attention
from jamba_reader.ops.decode_step import layout
from jamba_reader.ops.decode_step.cpu.schedule import run_parts
from jamba_reader.ops.decode_step.layout import Room, Shape
from jamba_reader.ops.linear.op import FEW_ROWS
from jamba_reader.ops.machine.activation import activation_code
from jamba_reader.ops.machine.operands import KINDS
from jamba_reader.ops.machine.shared_work import BOARD
from jamba_reader.ops.machine.threads import match_threads
from jamba_reader.ops.segments import Segments


class _Table(NamedTuple):
    """The parts of a model, as long as what was read of it holds.

    Attributes:
        reading: of the model.
        parts: a row each; None where the kernels cannot read them.
        mixers: where in them the mixer of each layer begins.
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

        None, and nothing done, where the layers have to do it: with more than ``FEW_ROWS``
        sequences, in a dtype or with a state that the kernels do not read, with hooks, or with
        modules that are not the model's own.

        Args:
            backbone: all of the model but its head.
            head: of the language model.
            tokens: one of each of the cache's sequences, ids of the vocabulary.
            cache: what earlier calls left.

        Raises:
            DataError: the call before ended halfway, or the cache is another model's.
        """
        if not 0 < len(tokens) <= FEW_ROWS or len(tokens) != cache.sequences:
            return None
        # the kernels write as much as the config says
        cache.check_fits(self.config)
        table = self._table
        if table is None or not table.reading.holds(head):
            # of weights that are gone nothing is kept
            self._table = None
            try:
                table = self._table = _read(self.config, backbone, head)
            except NotOurs:
                return None
        embedding = backbone.embed_tokens.weight
        if table.parts is None or not _readable(cache, embedding.dtype):
            return None
        stream = embedding.index_select(0, tokens)
        logits = stream.new_empty(len(stream), head.get_parameter("weight").shape[0])
        self._run(table.parts.copy(), table.mixers, stream, logits, cache)
        return logits

    def _run(
        self, parts: np.ndarray, mixers: list[int], stream: Tensor, logits: Tensor, cache: Cache
    ) -> None:
        config, segments = self.config, Segments([1] * len(stream))
        after = _follow(cache, mixers, parts)
        memory = _Memory(config, stream, logits)
        shape = _shape(config, stream, logits)
        first = 0
        for layer, mixer in enumerate(config.mixers):
            if mixer != "attention":
                continue
            place = mixers[layer] + 1
            memory.run(shape, parts, first, place)
            held = cache.memories[layer].append(memory.key, memory.value, segments)
            after[layer] = held
            heads = memory.query, memory.key, memory.value
            scale = config.head_dim**-0.5
            memory.mixed = attention(*heads, segments, held, scale=scale).contiguous()
            first = place
        memory.run(shape, parts, first, len(parts))
        for layer in range(len(mixers)):
            cache.set_layer(layer, after[layer])
        cache.advance(segments)


class _Memory:
    """What one call keeps from job to job.

    Attributes:
        query: before attention, ``[sequences, heads, head_dim]``; ``key`` and ``value`` likewise.
        mixed: what attention returned.
    """

    def __init__(self, config: JambaConfig, stream: Tensor, logits: Tensor):
        rows, hidden, inner = len(stream), config.hidden_size, config.inner_size
        size, heads = config.head_dim, config.num_attention_heads
        shared, pairs = config.num_key_value_heads, rows * config.num_experts_per_tok
        small = config.mamba_dt_rank + 2 * config.mamba_d_state
        self.query = stream.new_empty(rows, heads, size)
        self.key = stream.new_empty(rows, shared, size)
        self.value = stream.new_empty(rows, shared, size)
        self.mixed = self.query
        self._eps = config.rms_norm_eps
        self._stream, self._branch, self._logits = stream, torch.zeros_like(stream), logits
        sizes = [rows * width for width in (hidden, inner, inner, small, inner, inner)]
        sizes += [pairs * config.intermediate_size, pairs * hidden]
        self._rows = [stream.new_empty(size) for size in sizes]
        self._job = np.empty(layout.JOB_WORDS, np.int64)
        self._routing = (
            np.empty(config.num_experts, np.int64),
            np.empty(config.num_experts + 1, np.int64),
            np.empty(pairs, np.int64),
            np.empty(pairs, np.float32),
            np.empty((rows, hidden), np.float32),
        )

    def run(self, shape: Shape, parts: np.ndarray, first: int, last: int) -> None:
        """Run some parts."""
        tensors = (self._stream, self._branch, *self._rows, self.query, self.key, self.value)
        ends = self.mixed, self._logits
        room = Room(*(tensor.data_ptr() for tensor in (*tensors, *ends)))
        board, threads = np.zeros(BOARD, np.int64), match_threads()
        run_parts(
            first, last, self._eps, shape, parts, room, threads, board, self._job, *self._routing
        )


def _read(config: JambaConfig, backbone: Backbone, head: nn.Module) -> _Table:
    """Read where the weights are now."""
    reading = Reading()
    rows = find_parts(config, backbone, head, reading)
    parts = np.zeros((len(rows), layout.COLUMNS), np.int64)
    for place, row in enumerate(rows):
        parts[place, : len(row)] = row
    mixers = (layout.MAMBA, layout.QUERY_KEY_VALUE)
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
            parts[place, layout.STATE] = before.state.data_ptr()
            parts[place, layout.HISTORY] = before.history.data_ptr()
            parts[place, layout.NEW_STATE] = new.state.data_ptr()
            parts[place, layout.NEW_HISTORY] = new.history.data_ptr()
            after[layer] = new
    return after


def _shape(config: JambaConfig, stream: Tensor, logits: Tensor) -> Shape:
    return Shape(
        rows=len(stream),
        kind=KINDS[stream.dtype],
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
