"""The Jamba language model on packed sequences (Jamba-1.5, arXiv:2408.12570)."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from jamba_reader.cache.cache import Cache
from jamba_reader.config import JambaConfig
from jamba_reader.model.decoding.program import DecodeStep
from jamba_reader.model.layers.backbone import Backbone
from jamba_reader.model.layers.linear import Linear
from jamba_reader.model.memory_budget import check_memory
from jamba_reader.model.prompt_chunks import check_ids, check_prompts, prompt_chunks
from jamba_reader.ops.forks import refuse_forks
from jamba_reader.ops.operand_checks import check_model_dtype, check_tokens
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.segments import Segments
from jamba_reader.ops.selection import Implementation
from spider.errors import DataError
from spider.progress import Progress

CHUNK_TOKENS = 2048
"""Tokens of a prefill in one call: bounds its memory, and is enough to use all cores."""


class ModelOutput(NamedTuple):
    """The output of the model.

    Attributes:
        logits: ``[rows, vocabulary]`` of the requested rows, in the model's data type.
        hidden: ``[tokens, hidden]`` after the last norm.
        router_logits: ``[tokens, experts]`` of each mixture of experts.
    """

    logits: Tensor
    hidden: Tensor
    router_logits: tuple[Tensor, ...]


class JambaLanguageModel(nn.Module):
    """Jamba with its language-model head.

    Weights have the names that transformers 5 gives them in memory, so that
    ``model.load_state_dict(JambaForCausalLM(...).state_dict())`` works.

    Args:
        config: shape of the model.
        kernels: implementation of the operations; ``auto`` depends on the device.
        device: device of the weights; ``meta`` allocates none.
        dtype: data type of the weights.
        quantization: feed-forward weights that are int8; None if there are none.

    Raises:
        ConfigError: a model cannot have the data type.
    """

    def __init__(
        self,
        config: JambaConfig,
        *,
        kernels: Implementation = "auto",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        quantization: ExpertsInt8 | None = None,
    ):
        check_model_dtype(dtype)
        super().__init__()
        self.config = config
        self.quantization = quantization
        self._decode_step = DecodeStep(config) if kernels in ("auto", "cpu") else None
        self.model = Backbone(
            config, kernels=kernels, device=device, dtype=dtype, quantization=quantization
        )
        self.lm_head = Linear(
            config.hidden_size,
            config.vocab_size,
            bias=False,
            kernels=kernels,
            device=device,
            dtype=dtype,
        )
        if config.tie_word_embeddings:
            self.lm_head.weight = self.model.embed_tokens.weight

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.lm_head.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Data type of weights and activations."""
        return self.lm_head.weight.dtype

    @property
    def gradient_checkpointing(self) -> bool:
        """Whether training recomputes each layer in the backward pass instead of keeping it."""
        return self.model.gradient_checkpointing

    @gradient_checkpointing.setter
    def gradient_checkpointing(self, value: bool) -> None:
        self.model.gradient_checkpointing = value

    def new_cache(self, sequences: int, capacity: int = 0) -> Cache:
        """Return an empty cache for ``sequences``, with space for ``capacity`` tokens of each."""
        refuse_forks()
        return Cache.empty(
            self.config, sequences, dtype=self.dtype, device=self.device, capacity=capacity
        )

    def hidden_states(
        self, tokens: Int64[Tensor, " tokens"], segments: Segments, cache: Cache | None = None
    ) -> tuple[Float[Tensor, "tokens hidden"], tuple[Tensor, ...]]:
        """Run the model without its head.

        Args:
            tokens: ids of all sequences, concatenated.
            segments: boundaries of the sequences.
            cache: state after earlier calls; advances by these tokens.

        Returns:
            Hidden states after the last norm, and the router logits of each mixture of experts.

        Raises:
            DataError: the segments have another number of tokens, the cache belongs to a model of
                another shape or data type, the tokens are no integers, or an id is not in the
                vocabulary. On a GPU only ``prefill`` checks
                the ids, because a check here would wait for the device.
        """
        refuse_forks()
        check_tokens(tokens, self.device)
        if segments.total != len(tokens):
            raise DataError(f"{len(tokens)} tokens in segments of {segments.total} in all")
        self._check_ids(tokens)
        if cache is not None:
            cache.check_fits(self.config, self.dtype, self.device)
        hidden, routers = self.model(tokens, segments, cache)
        return hidden, routers

    def _check_ids(self, tokens: Tensor) -> None:
        if len(tokens) and tokens.device.type == "cpu":
            lowest, highest = tokens.aminmax()
            check_ids(int(lowest), int(highest), self.config.vocab_size)

    def forward(
        self,
        tokens: Int64[Tensor, " tokens"],
        segments: Segments,
        *,
        cache: Cache | None = None,
        rows: Int64[Tensor, " rows"] | None = None,
    ) -> ModelOutput:
        """Return logits of ``rows``, or of the last token of each sequence that has any.

        Args:
            tokens: ids of all sequences, concatenated.
            segments: boundaries of the sequences.
            cache: state after earlier calls; advances by these tokens.
            rows: rows of ``tokens`` whose logits to return. All logits are never the default: at
                256K tokens they need 32 GiB.
        """
        if rows is not None:
            check_tokens(rows, self.device, name="rows")
        hidden, routers = self.hidden_states(tokens, segments, cache)
        rows = segments.last_rows(tokens.device) if rows is None else rows
        return ModelOutput(self.lm_head(hidden.index_select(0, rows)), hidden, routers)

    @torch.no_grad()
    def prefill(
        self,
        prompts: Sequence[Sequence[int]],
        cache: Cache,
        *,
        chunk_tokens: int = CHUNK_TOKENS,
        progress: bool = False,
    ) -> Float[Tensor, "sequences vocabulary"]:
        """Read prompts into the cache; the result does not depend on ``chunk_tokens``.

        Args:
            prompts: token ids of each of the cache's sequences.
            cache: the cache, which may contain earlier tokens of the sequences.
            chunk_tokens: tokens in a call of the model, over all sequences.
            progress: show a progress line.

        Returns:
            Logits after each prompt, in float32.

        Raises:
            DataError: a prompt is empty, or an id is not in the vocabulary.
            ConfigError: there is too little memory; checked before anything is computed.
        """
        refuse_forks()
        check_prompts(prompts, self.config.vocab_size)
        if len(prompts) != cache.sequences:
            raise DataError(f"{len(prompts)} prompts for a cache of {cache.sequences} sequences")
        longest = max(map(int.__add__, cache.lengths, map(len, prompts)), default=0)
        check_memory(
            self.config,
            len(prompts),
            longest,
            self.dtype,
            self.device,
            chunk_tokens,
            self.quantization,
            weights_loaded=True,
            held_bytes=cache.held_bytes(longest),
        )
        cache.reserve(longest)
        logits = torch.empty(
            len(prompts), self.config.vocab_size, dtype=torch.float32, device=self.device
        )
        shown = Progress(total=sum(map(len, prompts)), unit="tokens", label="prefill")
        with shown if progress else nullcontext() as line:
            for lengths, tokens, finished in prompt_chunks(prompts, chunk_tokens):
                segments = Segments(lengths)
                ids = torch.tensor(tokens, dtype=torch.int64, device=self.device)
                hidden, _ = self.hidden_states(ids, segments, cache)
                if finished:
                    rows = [segments.starts[i + 1] - 1 for i in finished]
                    logits[finished] = self.lm_head(hidden[rows]).float()
                if line is not None:
                    line.advance(len(tokens))
        return logits

    @torch.no_grad()
    def step(
        self, tokens: Int64[Tensor, " sequences"], cache: Cache
    ) -> Float[Tensor, "sequences vocabulary"]:
        """Read one more token of each sequence; return the logits after it, in float32.

        On a CPU one kernel computes all layers (``jamba_reader.ops.decode_step``), unless a layer
        was replaced or has a hook.

        Raises:
            DataError: the number of tokens is not that of the sequences, an id is not in the
                vocabulary, or the last call failed halfway.
        """
        refuse_forks()
        check_tokens(tokens, self.device)
        if len(tokens) != cache.sequences:
            raise DataError(f"{len(tokens)} tokens for a cache of {cache.sequences} sequences")
        if self._decode_step is not None and tokens.device.type == "cpu" and not self.training:
            self._check_ids(tokens)
            logits = self._decode_step.run(self.model, self.lm_head, tokens, cache)
            if logits is not None:
                return logits.float()
        hidden, _ = self.hidden_states(tokens, Segments([1] * len(tokens)), cache)
        found: Tensor = self.lm_head(hidden)
        return found.float()

    def forward_padded(
        self,
        input_ids: Int64[Tensor, "sequences length"],
        attention_mask: Bool[Tensor, "sequences length"] | Int64[Tensor, "sequences length"],
    ) -> Float[Tensor, "sequences length vocabulary"]:
        """Return the logits of a batch that is padded on either side; zeros at the padding."""
        real = attention_mask.bool()
        segments = Segments(real.sum(dim=1).tolist())
        hidden, _ = self.hidden_states(input_ids[real], segments)
        logits: Tensor = self.lm_head(hidden)
        padded = logits.new_zeros(*input_ids.shape, logits.shape[-1])
        padded[real] = logits
        return padded
