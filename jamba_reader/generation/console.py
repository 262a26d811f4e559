"""Generated text for a terminal: as it is generated, with the places of its quotes."""

import codecs
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from jamba_reader.constraints.contract import Constraint
from jamba_reader.constraints.text_spans import TextSpanConstraint
from jamba_reader.generation.language_model import LanguageModel
from jamba_reader.generation.settings import Generation, GenerationSettings
from jamba_reader.ops.row_quantisation.format import ExpertsInt8
from jamba_reader.ops.selection import Implementation
from spider.errors import DataError
from spider.sources.text_files import find_files, read_whole


class Console:
    """Answers prompts, freely or by quoting documents.

    Args:
        model: the language model.
        settings: how text is generated.
        files: names of the documents.
        texts: texts of the documents; without any, generation is free.
        opening: marker before a quote.
        closing: marker after a quote.
        fewest_characters: least length of a quote.

    Raises:
        DataError: no document is long enough to quote.
    """

    def __init__(
        self,
        model: LanguageModel,
        settings: GenerationSettings,
        *,
        files: Sequence[Path] = (),
        texts: Sequence[str] = (),
        opening: str = "",
        closing: str = "",
        fewest_characters: int = 1,
    ):
        self._model = model
        self._settings = settings
        self._files = files
        self._constraint: Constraint | None = None
        if texts:
            self._constraint = TextSpanConstraint(
                texts,
                model.token_bytes,
                opening=opening,
                closing=closing,
                fewest_characters=fewest_characters,
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

    def _places(self, generation: Generation) -> Iterator[str]:
        for quote in generation.quotes:
            times = f", {quote.occurrences} times in all" if quote.occurrences > 1 else ""
            cut = "" if quote.closed else ", cut off"
            file = self._files[quote.document]
            yield f"  {file}:{quote.start}-{quote.end}{times}{cut}: {quote.text!r}\n"


def open_console(
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
) -> Console:
    """Read the documents, then the model: the small input can fail first.

    Args:
        model: a folder, or a name on the hub.
        settings: how text is generated.
        documents: files to quote, or patterns of files.
        opening: marker before a quote.
        closing: marker after a quote.
        fewest_characters: least length of a quote.
        revision: commit, tag or branch on the hub.
        dtype: data type of the weights; None takes that of the checkpoint.
        experts_int8: quantise the experts to int8 while loading.
        kernels: implementation of the operations.
        device: ``auto``, or a device of PyTorch.

    Raises:
        CheckpointError: the model is missing, damaged, or not a Jamba model.
        DataError: there is no tokenizer, or a document is missing or has no text.
        ConfigError: there is no such device, or a setting is out of range.
    """
    files = find_files(list(documents)) if documents else []
    texts = [_read(file) for file in files]
    return Console(
        LanguageModel.open(
            model,
            dtype=dtype,
            device=device,
            kernels=kernels,
            quantization=ExpertsInt8() if experts_int8 else None,
            revision=revision,
        ),
        settings,
        files=files,
        texts=texts,
        opening=opening,
        closing=closing,
        fewest_characters=fewest_characters,
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
