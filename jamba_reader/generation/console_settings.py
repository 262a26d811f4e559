"""Settings of generating text for a terminal."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from jamba_reader.generation.settings import GenerationSettings
from spider.errors import ConfigError, SettingError

MOST_THREADS = 1024
"""PyTorch accepts any number, and too many end the process."""


@dataclass(frozen=True, kw_only=True)
class ConsoleSettings:
    """Which model generates, how, and which documents it quotes.

    Attributes:
        model: a folder with a Jamba checkpoint and its tokenizer.json, a reader artifact, or a name
            on the hub.
        revision: commit, tag or branch, where the model is a name on the hub.
        documents: text files (UTF-8, may be compressed; patterns work) that the text has to quote.
        opening: marker before a quote; with none the whole text is one quote.
        closing: marker after a quote; with none the quote lasts until the text ends.
        fewest_characters: least length of a quote.
        generation: how text is generated.
        dtype: type of the weights; auto takes that of the checkpoint.
        experts_int8: make the experts int8 while loading.
        kernels: which implementation of each operation runs; auto depends on the device.
        threads: threads of PyTorch and the kernels on a CPU; null takes all cores.
        device: auto, cpu or cuda.
    """

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
        if (self.opening or self.closing) and not self.documents:
            raise ConfigError("opening and closing mark quotes: give documents=FILE to quote")
        if self.threads is not None and not 1 <= self.threads <= MOST_THREADS:
            raise SettingError("threads", self.threads, f"1 to {MOST_THREADS}")
        if self.fewest_characters < 1:
            raise SettingError("fewest_characters", self.fewest_characters, "at least 1")
