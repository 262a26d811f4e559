"""Verb ``generate``: a prompt → its continuation, or quotes of documents with their places."""

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from jamba_reader.generation.settings import GenerationSettings
from spider.errors import ConfigError, SettingError
from spider.launch.entrypoint import launch
from spider.launch.exit import CTRL_C
from spider.launch.settings import WorkspaceSettings

MOST_THREADS = 1024
"""PyTorch accepts any number, and too many end the process."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class GenerateSettings(WorkspaceSettings):
    """Settings of ``spider generate``.

    Attributes:
        prompt: text to continue; without one, a prompt asks for one text after the other. Special
            tokens may be written out in it.
        model: a folder with a Jamba checkpoint and its tokenizer.json, a reader artifact, or a name
            on the hub.
        revision: commit, tag or branch, where the model is a name on the hub.
        documents: text files (UTF-8, may be compressed; patterns work) that the text has to quote.
        opening: marker before a quote; with none the whole text is one quote.
        closing: marker after a quote; with none the quote lasts until the text ends.
        fewest_characters: characters of a quote, at least.
        generation: how text is generated.
        dtype: type of the weights; auto takes what the checkpoint says.
        experts_int8: make the experts int8 while loading.
        kernels: which implementation of each operation runs; auto goes by the device.
        threads: threads of PyTorch and the kernels on a CPU; null takes all cores.
        device: auto, cpu or cuda.
    """

    positionals: ClassVar = ("prompt",)

    prompt: str | None = None
    model: str
    revision: str | None = None
    documents: tuple[Path, ...] = ()
    opening: str = ""
    closing: str = ""
    fewest_characters: int = 1
    generation: GenerationSettings = field(default_factory=GenerationSettings)
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    experts_int8: bool = False
    kernels: Literal["auto", "reference", "cpu", "triton"] = "auto"
    threads: int | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other, and values out of range."""
        if self.prompt is not None and not self.prompt.strip():
            raise ConfigError("the prompt is empty; leave it out to be asked for prompts")
        if (self.opening or self.closing) and not self.documents:
            raise ConfigError("opening and closing mark quotes: give documents=FILE to quote")
        if self.threads is not None and not 1 <= self.threads <= MOST_THREADS:
            raise SettingError("threads", self.threads, f"1 to {MOST_THREADS}")
        if self.fewest_characters < 1:
            raise SettingError("fewest_characters", self.fewest_characters, "at least 1")


def main(settings: GenerateSettings) -> None:
    """Print what follows each prompt.

    Raises:
        CheckpointError: the model is missing, damaged, or no Jamba.
        DataError: the model has no tokenizer, or a document is missing or has no text.
    """
    import torch

    from jamba_reader.generation.console import open_console

    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    console = open_console(
        settings.model,
        settings.generation,
        documents=settings.documents,
        opening=settings.opening,
        closing=settings.closing,
        fewest_characters=settings.fewest_characters,
        revision=settings.revision,
        dtype=None if settings.dtype == "auto" else getattr(torch, settings.dtype),
        experts_int8=settings.experts_int8,
        kernels=settings.kernels,
        device=settings.device,
    )
    try:
        for prompt in [settings.prompt] if settings.prompt is not None else _typed():
            for text in console.answer(prompt):
                sys.stdout.write(text)
                sys.stdout.flush()
    except KeyboardInterrupt:
        # nothing is left to go on from, which is what the launcher would say
        sys.stdout.write("\n")
        sys.exit(CTRL_C)


def _typed() -> Iterator[str]:
    if sys.stdin.isatty():
        logger.info("type a prompt; an empty line or Ctrl-D ends")
    while True:
        try:
            line = input("prompt> " if sys.stdin.isatty() else "")
        except EOFError:
            return
        if line.strip():
            yield line
        elif sys.stdin.isatty():
            return


if __name__ == "__main__":
    launch(main, verb="generate")
