"""Verb ``generate``: a prompt → text, as it comes; with documents, spans of them and where."""

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from spider.errors import ConfigError
from spider.launch.entrypoint import launch
from spider.launch.exit import CTRL_C

MOST_THREADS = 1024
"""PyTorch takes any number and dies of many."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """Settings of ``spider generate``.

    Attributes:
        prompt: text to go on from; without one, a prompt asks for one after the other. Special
            tokens may be written out in it.
        workspace: folder of this undertaking's artifacts; the one used last, unless told.
        model: a folder with a Jamba checkpoint and its tokenizer.json, a reader artifact, or a name
            on the hub.
        revision: commit, tag or branch, where the model is a name on the hub.
        documents: text files (UTF-8, may be compressed; patterns work) that the text has to quote.
        opening: marker before a quote; with none the whole text is one.
        closing: marker after a quote; with none it lasts until the text ends.
        fewest_characters: of a quote.
        max_new_tokens: at most this many.
        min_new_tokens: no end of the text before this many.
        temperature: 0 takes the best token each time; above, tokens are drawn.
        top_k: draw among this many best tokens; 0 draws among all.
        top_p: draw among the best tokens that have this probability together.
        repetition_penalty: scores of tokens in prompt or text are lowered by it; 1 is none.
        samples: texts for each prompt.
        beams: width of the beam search; 1 is none.
        length_penalty: a beam's score is its log-probability over its length to this power.
        stop: strings that end the text, left out of it; or the names of special tokens.
        seed: of the draws.
        chunk_tokens: tokens of the prompt read at a time.
        dtype: of the weights; auto takes what the checkpoint says.
        experts_int8: make the experts int8 while loading.
        kernels: which implementation of each operation runs; auto goes by the device.
        threads: of PyTorch and the kernels on a CPU; null takes all cores.
        device: auto, cpu or cuda.
    """

    prompt: str | None = None
    workspace: Path = Path("spider-work/default")
    model: str
    revision: str | None = None
    documents: list[Path] = field(default_factory=list)
    opening: str = ""
    closing: str = ""
    fewest_characters: int = 1
    max_new_tokens: int = 256
    min_new_tokens: int = 0
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    samples: int = 1
    beams: int = 1
    length_penalty: float = 1.0
    stop: list[str] = field(default_factory=list)
    seed: int = 0
    chunk_tokens: int = 2048
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    experts_int8: bool = False
    kernels: Literal["auto", "reference", "cpu", "triton"] = "auto"
    threads: int | None = None
    device: str = "auto"


def main(config: GenerateConfig) -> None:
    """Print what follows each prompt.

    Raises:
        ConfigError: a setting is out of range, or the prompt is empty.
        CheckpointError: the model is missing, damaged, or no Jamba.
        DataError: the model has no tokenizer, or a document is missing or has no text.
    """
    if config.prompt is not None and not config.prompt.strip():
        raise ConfigError("the prompt is empty; leave it out altogether to be asked for prompts")
    if (config.opening or config.closing) and not config.documents:
        raise ConfigError("opening and closing mark quotes: give documents=FILE to quote")
    if config.threads is not None and not 1 <= config.threads <= MOST_THREADS:
        raise ConfigError(f"threads={config.threads}: expected 1 to {MOST_THREADS}")
    if config.fewest_characters < 1:
        raise ConfigError(f"fewest_characters={config.fewest_characters}: expected at least 1")
    import torch

    from jamba_reader.generation.prompted_text import open_prompted
    from jamba_reader.generation.settings import GenerationSettings

    settings = GenerationSettings(
        max_new_tokens=config.max_new_tokens,
        min_new_tokens=config.min_new_tokens,
        temperature=config.temperature,
        top_k=config.top_k,
        top_p=config.top_p,
        repetition_penalty=config.repetition_penalty,
        samples=config.samples,
        beams=config.beams,
        length_penalty=config.length_penalty,
        stop=tuple(config.stop),
        seed=config.seed,
        chunk_tokens=config.chunk_tokens,
    )
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    prompted = open_prompted(
        config.model,
        settings,
        documents=config.documents,
        opening=config.opening,
        closing=config.closing,
        fewest_characters=config.fewest_characters,
        revision=config.revision,
        dtype=None if config.dtype == "auto" else getattr(torch, config.dtype),
        experts_int8=config.experts_int8,
        kernels=config.kernels,
        device=config.device,
    )
    try:
        for prompt in [config.prompt] if config.prompt is not None else _typed():
            for text in prompted.answer(prompt):
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
