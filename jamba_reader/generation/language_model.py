"""A Jamba model with its tokenizer: text in, text out."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tokenizers
import torch
from jaxtyping import Float
from torch import Tensor

from jamba_reader.cache.cache import Cache
from jamba_reader.checkpoints.files import read_config
from jamba_reader.checkpoints.location import find_checkpoint
from jamba_reader.constraints.contract import Constraint
from jamba_reader.generation.generator import OnPiece, generate, stream
from jamba_reader.generation.results import Generation, Piece
from jamba_reader.generation.settings import GenerationSettings
from jamba_reader.model.devices import find_device
from jamba_reader.model.loading import load_model
from jamba_reader.model.model import CHUNK_TOKENS, JambaLanguageModel
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.selection import Implementation
from jamba_reader.tokenization.token_bytes import TokenBytes
from jamba_reader.tokenization.vocabulary import BEGIN, load_vocabulary
from spider.errors import DataError


class LanguageModel:
    """A Jamba model and its tokenizer.

    Prompts are texts or token ids. The tokenizer puts the begin token before a text. A special
    token that is written out in a prompt is that token if the tokenizer encodes special tokens.

    Args:
        model: the model.
        tokenizer: the tokenizer of the model.

    Attributes:
        model: the model.
        tokenizer: the tokenizer.
        token_bytes: the bytes of every token.

    Raises:
        DataError: the tokenizer is of a kind whose tokens have no known bytes.
    """

    def __init__(self, model: JambaLanguageModel, tokenizer: tokenizers.Tokenizer):
        self.model = model
        self.tokenizer = tokenizer
        self.token_bytes = TokenBytes(tokenizer)

    @classmethod
    def open(
        cls,
        name_or_path: str | Path,
        *,
        dtype: torch.dtype | None = None,
        device: torch.device | str = "auto",
        kernels: Implementation = "auto",
        quantization: ExpertsInt8 | None = None,
        revision: str | None = None,
        progress: bool = True,
    ) -> "LanguageModel":
        """Load a checkpoint and its ``tokenizer.json``, the tokenizer first.

        Args:
            name_or_path: a folder with a checkpoint, a reader artifact, or a name on the hub.
            dtype: data type of the weights; None takes that of the checkpoint.
            device: device of the weights; ``auto`` is the first GPU, or the CPU without one.
            kernels: implementation of the operations; ``auto`` depends on the device.
            quantization: weights to quantise to int8 while loading.
            revision: commit, tag or branch on the hub.
            progress: show a progress line.

        Raises:
            CheckpointError: the checkpoint is missing, damaged, or not a Jamba model.
            DataError: there is no tokenizer, or it does not have Jamba's special tokens.
            ConfigError: there is no such device, or the weights need more memory than there is.
            MissingDependencyError: the hub cannot be reached.
        """
        place = find_device(device) if isinstance(device, str) else device
        folder = find_checkpoint(name_or_path, revision=revision)
        # a folder with another architecture is refused as such, not for its missing tokenizer
        read_config(folder)
        tokenizer = load_vocabulary(folder)
        # a person who writes a prompt may mean a special token by its name
        tokenizer.encode_special_tokens = False
        model = load_model(
            folder,
            dtype=dtype,
            device=place,
            kernels=kernels,
            quantization=quantization,
            progress=progress,
        )
        return cls(model, tokenizer)

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a prompt, the begin token first: once, if it is written out."""
        # a lone surrogate has no UTF-8 form, and the tokenizers library refuses it
        ids: list[int] = self.tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8")).ids
        # the tokenizer put one before the prompt's own
        twice = len(ids) > 1 and ids[0] == ids[1] == self.tokenizer.token_to_id(BEGIN)
        return ids[1:] if twice else ids

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens; special tokens have none."""
        return self.token_bytes.join(tokens, begins_text=True).decode("utf-8", "replace")

    def new_cache(self, sequences: int = 1, capacity: int = 0) -> Cache:
        """Return an empty cache for ``sequences``, with space for ``capacity`` tokens of each."""
        return self.model.new_cache(sequences, capacity)

    def prefill(
        self,
        prompts: Sequence[Sequence[int]],
        cache: Cache,
        *,
        chunk_tokens: int = CHUNK_TOKENS,
        progress: bool = False,
    ) -> Float[Tensor, "sequences vocabulary"]:
        """Read token ids into a cache; see :meth:`JambaLanguageModel.prefill`."""
        return self.model.prefill(prompts, cache, chunk_tokens=chunk_tokens, progress=progress)

    def generate(
        self,
        prompt: str | Sequence[int],
        *,
        settings: GenerationSettings | None = None,
        constraint: Constraint | None = None,
        on_piece: OnPiece | None = None,
        **changes: Any,
    ) -> Generation:
        """Continue one prompt; of several samples or beams, return the first.

        Args:
            prompt: a text, or token ids.
            settings: how text is generated; None takes the defaults.
            constraint: restricts what may be generated.
            on_piece: called with each token and its text as they are generated.
            changes: settings to change, by their names: ``max_new_tokens=20``.

        Raises:
            DataError: the prompt is empty, or an id is not in the vocabulary.
            ConfigError: a setting is out of range, or the prompt needs more memory than there is.
        """
        return self.generate_many(
            [prompt], settings=settings, constraint=constraint, on_piece=on_piece, **changes
        )[0]

    def generate_many(
        self,
        prompts: Sequence[str | Sequence[int]],
        *,
        settings: GenerationSettings | None = None,
        constraint: Constraint | None = None,
        on_piece: OnPiece | None = None,
        progress: bool = False,
        **changes: Any,
    ) -> list[Generation]:
        """Continue several prompts together; return all continuations, ordered by prompt.

        A result does not depend on the other prompts, except for the rounding of float numbers.

        Args:
            prompts: texts, or token ids.
            settings: how text is generated; None takes the defaults.
            constraint: restricts what may be generated.
            on_piece: called with each token and its text as they are generated.
            progress: show a progress line while prompts are read.
            changes: settings to change, by their names: ``max_new_tokens=20``.

        Raises:
            DataError: a prompt is empty, or an id is not in the vocabulary.
            ConfigError: a setting is out of range, or the prompts need more memory than there is.
        """
        return generate(
            self.model,
            self._ids(prompts),
            self._settings(settings, changes),
            vocabulary=self.token_bytes,
            constraint=constraint,
            on_piece=on_piece,
            progress=progress,
        )

    def stream(
        self,
        prompts: Sequence[str | Sequence[int]],
        *,
        settings: GenerationSettings | None = None,
        constraint: Constraint | None = None,
        progress: bool = False,
        **changes: Any,
    ) -> Iterator[Piece]:
        """Continue prompts and yield each token with its text; arguments as ``generate_many``."""
        return stream(
            self.model,
            self._ids(prompts),
            self._settings(settings, changes),
            vocabulary=self.token_bytes,
            constraint=constraint,
            progress=progress,
        )

    def _ids(self, prompts: Sequence[str | Sequence[int]]) -> list[Sequence[int]]:
        if isinstance(prompts, str):
            raise DataError("got one prompt, expected a list of prompts; generate takes one")
        return [self.encode(prompt) if isinstance(prompt, str) else prompt for prompt in prompts]

    def _settings(
        self, settings: GenerationSettings | None, changes: dict[str, Any]
    ) -> GenerationSettings:
        """Apply changes; a stop string that is the name of a special token stops at that token."""
        settings = dataclasses.replace(settings or GenerationSettings(), **changes)
        special = self.token_bytes.special_ids
        # special tokens have no text, so a stop string would never match them
        named = [special[stop] for stop in settings.stop if stop in special]
        if not named:
            return settings
        given = settings.end_ids
        ends = given if given is not None else self.model.config.eos_token_ids
        return dataclasses.replace(
            settings,
            stop=tuple(stop for stop in settings.stop if stop not in special),
            end_ids=tuple(dict.fromkeys((*ends, *named))),
        )
