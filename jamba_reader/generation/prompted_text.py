"""A model, its tokenizer and the documents to quote, opened once for any number of prompts."""

import codecs
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import tokenizers
import torch

from jamba_reader.checkpoints.files import read_config
from jamba_reader.checkpoints.location import find_checkpoint
from jamba_reader.constraints.contract import Constraint
from jamba_reader.constraints.text_spans import TextSpanConstraint
from jamba_reader.generation.generator import stream
from jamba_reader.generation.settings import Generation, GenerationSettings
from jamba_reader.model.loading import load_model
from jamba_reader.model.model import JambaLanguageModel
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.selection import Implementation
from jamba_reader.tokenization.token_bytes import TokenBytes
from jamba_reader.tokenization.vocabulary import load_vocabulary
from spider.errors import ConfigError, DataError
from spider.sources.text_files import find_files, read_whole


class PromptedText:
    """Answers prompts.

    Args:
        model: the language model.
        tokenizer: its tokenizer.
        settings: how text is generated; a stop string that is a special token's name is taken for
            that token.
        files: names of the documents.
        texts: their texts; none means free text.
        opening: marker before a quote.
        closing: marker after it.
        fewest_characters: of a quote.

    Raises:
        DataError: the tokenizer's tokens have no known bytes, or there is nothing to quote.
    """

    def __init__(
        self,
        model: JambaLanguageModel,
        tokenizer: tokenizers.Tokenizer,
        settings: GenerationSettings,
        *,
        files: Sequence[Path] = (),
        texts: Sequence[str] = (),
        opening: str = "",
        closing: str = "",
        fewest_characters: int = 1,
    ):
        self._model = model
        self._tokenizer = tokenizer
        self._vocabulary = TokenBytes(tokenizer)
        self._settings = _with_special_stops(settings, self._vocabulary, model)
        self._files = files
        self._constraint: Constraint | None = None
        if texts:
            self._constraint = TextSpanConstraint(
                texts,
                self._vocabulary,
                opening=opening,
                closing=closing,
                fewest_characters=fewest_characters,
            )

    def answer(self, prompt: str) -> Iterator[str]:
        """Yield what is to be shown for a prompt, as it comes: text, and where its quotes are."""
        # a lone surrogate has no UTF-8 form, and the tokenizers library refuses it
        encoding = self._tokenizer.encode(prompt.encode("utf-8", "replace").decode("utf-8"))
        several = self._settings.samples > 1
        for piece in stream(
            self._model,
            [encoding.ids],
            self._settings,
            vocabulary=self._vocabulary,
            constraint=self._constraint,
            progress=len(encoding.ids) > self._settings.chunk_tokens,
        ):
            # several texts grow side by side and are shown one after the other
            if not several:
                yield piece.text
            if piece.finished is not None:
                if several:
                    yield f"[{piece.sample + 1}] {piece.finished.text}"
                yield "\n"
                yield from self._sources(piece.finished)

    def _sources(self, generation: Generation) -> Iterator[str]:
        for quote in generation.quotes:
            times = f", {quote.occurrences} times in all" if quote.occurrences > 1 else ""
            cut = "" if quote.closed else ", cut off"
            file = self._files[quote.document]
            yield f"  {file}:{quote.start}-{quote.end}{times}{cut}: {quote.text!r}\n"


def open_prompted(
    model: str,
    settings: GenerationSettings,
    *,
    documents: Sequence[Path] = (),
    opening: str = "",
    closing: str = "",
    fewest_characters: int = 1,
    revision: str | None = None,
    dtype: torch.dtype | None = None,
    experts_int8: bool = False,
    kernels: Implementation = "auto",
    device: str = "auto",
) -> PromptedText:
    """Read documents, tokenizer and model, in this order: what is small can fail first.

    Args:
        model: a folder, or a name on the hub.
        settings: how text is generated.
        documents: files or patterns of files to quote.
        opening: marker before a quote.
        closing: marker after it.
        fewest_characters: of a quote.
        revision: commit, tag or branch on the hub.
        dtype: of the weights; None takes what the checkpoint says.
        experts_int8: make the experts int8 while loading.
        kernels: which implementation of each operation runs.
        device: auto, or a device of PyTorch's.

    Raises:
        CheckpointError: the model is missing, damaged, or no Jamba.
        DataError: there is no tokenizer, or a document is missing or has no text.
        ConfigError: there is no such device, or a setting does not fit.
    """
    files = find_files(list(documents)) if documents else []
    texts = [_read(file) for file in files]
    place = _device(device)
    folder = find_checkpoint(model, revision=revision)
    read_config(folder)  # a folder of something else is called that, not a missing tokenizer
    tokenizer = load_vocabulary(folder)
    # the person who writes the prompt may mean a special token by its name
    tokenizer.encode_special_tokens = False
    return PromptedText(
        load_model(
            folder,
            dtype=dtype,
            device=place,
            kernels=kernels,
            quantization=ExpertsInt8() if experts_int8 else None,
        ),
        tokenizer,
        settings,
        files=files,
        texts=texts,
        opening=opening,
        closing=closing,
        fewest_characters=fewest_characters,
    )


def _with_special_stops(
    settings: GenerationSettings, vocabulary: TokenBytes, model: JambaLanguageModel
) -> GenerationSettings:
    """Turn stop strings that name a special token, which has no text, into end tokens."""
    special = vocabulary.special_ids
    named = [special[stop] for stop in settings.stop if stop in special]
    if not named:
        return settings
    ends = settings.end_ids if settings.end_ids is not None else model.config.eos_token_ids
    return dataclasses.replace(
        settings,
        stop=tuple(stop for stop in settings.stop if stop not in special),
        end_ids=tuple(dict.fromkeys((*ends, *named))),
    )


def _read(file: Path) -> str:
    content = read_whole(file).removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"not UTF-8 (byte 0x{error.object[error.start]:02x} at {error.start}); convert it",
            path=file,
        ) from error


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"device={name}: expected auto, cpu or cuda") from error
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"device={name}: expected auto, cpu or cuda")
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= found:
        raise ConfigError(f"device={name}: no such CUDA device is found; spider doctor says why")
    return device
