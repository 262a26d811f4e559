"""Generated text for a terminal: as it is generated, with the places of its quotes."""

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from jamba_reader.constraints.contract import Constraint
from jamba_reader.constraints.text_spans import TextSpanConstraint
from jamba_reader.generation.console_settings import ConsoleSettings
from jamba_reader.generation.language_model import LanguageModel
from jamba_reader.generation.results import Generation
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from spider.errors import DataError
from spider.sources.text_files import find_files, read_whole


class Console:
    """Answers prompts, freely or by quoting documents.

    Args:
        model: the language model.
        settings: how text is generated, and how quotes are marked.
        files: names of the documents.
        texts: texts of the documents; without any, generation is free.

    Raises:
        DataError: no document is long enough to quote.
    """

    def __init__(
        self,
        model: LanguageModel,
        settings: ConsoleSettings,
        *,
        files: Sequence[Path] = (),
        texts: Sequence[str] = (),
    ):
        self._model = model
        self._settings = settings.generation
        self._files = files
        self._constraint: Constraint | None = None
        if texts:
            self._constraint = TextSpanConstraint(
                texts,
                model.token_bytes,
                opening=settings.opening,
                closing=settings.closing,
                fewest_characters=settings.fewest_characters,
            )

    def answer(self, prompt: str) -> Iterator[str]:
        """Yield what to print for a prompt, as it is generated: text and the places of quotes."""
        ids = self._model.encode(prompt)
        several = self._settings.samples > 1
        for piece in self._model.stream(
            [ids],
            settings=self._settings,
            constraint=self._constraint,
            progress=len(ids) > self._settings.chunk_tokens,
        ):
            # several texts are generated in parallel and printed one after the other
            if not several:
                yield piece.text
            if piece.finished is not None:
                if several:
                    yield f"[{piece.sample + 1}] {piece.finished.text}"
                yield "\n"
                yield from self._places(piece.finished)

    def records(self, prompt: str) -> Iterator[dict[str, Any]]:
        """Yield one JSON object for each continuation of a prompt, once it is complete."""
        ids = self._model.encode(prompt)
        for piece in self._model.stream(
            [ids], settings=self._settings, constraint=self._constraint, progress=False
        ):
            if piece.finished is not None:
                yield self._record(prompt, piece.finished)

    def _record(self, prompt: str, generation: Generation) -> dict[str, Any]:
        return {
            "prompt": prompt,
            "sample": generation.sample + 1,
            "text": generation.text,
            "finish_reason": generation.finish_reason,
            "quotes": [
                {
                    "file": str(self._files[quote.document]),
                    "start": quote.start,
                    "end": quote.end,
                    "text": quote.text,
                    "occurrences": quote.occurrences,
                    "closed": quote.closed,
                }
                for quote in generation.quotes
            ],
        }

    def _places(self, generation: Generation) -> Iterator[str]:
        for quote in generation.quotes:
            times = f", {quote.occurrences} times in all" if quote.occurrences > 1 else ""
            cut = "" if quote.closed else ", cut off"
            file = self._files[quote.document]
            yield f"  {file}:{quote.start}-{quote.end}{times}{cut}: {quote.text!r}\n"


def open_console(settings: ConsoleSettings) -> Console:
    """Read the documents, then the model: the small input can fail first.

    Raises:
        CheckpointError: the model is missing, damaged, or not a Jamba model.
        DataError: there is no tokenizer, or a document is missing or has no text.
        ConfigError: there is no such device, or a setting is out of range.
    """
    files = find_files(list(settings.documents)) if settings.documents else []
    texts = [_read(file) for file in files]
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    model = LanguageModel.open(
        settings.model,
        dtype=None if settings.dtype == "auto" else getattr(torch, settings.dtype),
        device=settings.device,
        kernels=settings.kernels,
        quantization=ExpertsInt8() if settings.experts_int8 else None,
        revision=settings.revision,
    )
    return Console(model, settings, files=files, texts=texts)


def _read(file: Path) -> str:
    content = read_whole(file).removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"not UTF-8 (byte 0x{error.object[error.start]:02x} at {error.start}); convert it",
            path=file,
        ) from error
