"""Verb ``generate``: a prompt → its continuation, or quotes of documents with their places."""

import logging
import sys
from dataclasses import dataclass
from typing import ClassVar

from jamba_reader.generation.console_settings import ConsoleSettings
from spider.console import say_json
from spider.errors import ConfigError
from spider.launch.entrypoint import launch
from spider.launch.exit import CTRL_C
from spider.launch.settings import WorkspaceSettings
from spider.launch.typed_lines import typed_lines
from spider.printable import LINE_FEED, TAB, printable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class GenerateSettings(ConsoleSettings, WorkspaceSettings):
    """Settings of ``spider generate``.

    Attributes:
        prompt: text to continue; without one, the command reads one prompt after the other. Special
            tokens may be written out in it.
        json: print one JSON object a line for each continuation.
    """

    positionals: ClassVar = ("prompt",)

    prompt: str | None = None
    json: bool = False

    def __post_init__(self) -> None:
        """Refuse settings that contradict each other, and values out of range."""
        super().__post_init__()
        if self.prompt is not None and not self.prompt.strip():
            raise ConfigError("the prompt is empty; leave it out to type prompts")


def main(settings: GenerateSettings) -> None:
    """Print the continuation of each prompt.

    Raises:
        CheckpointError: the model is missing, damaged, or not a Jamba model.
        DataError: the model has no tokenizer, or a document is missing or has no text.
    """
    from jamba_reader.generation.console import open_console

    console = open_console(settings)
    try:
        for prompt in [settings.prompt] if settings.prompt is not None else typed_lines("prompt"):
            if settings.json:
                for record in console.records(prompt):
                    say_json(record)
                continue
            for text in console.answer(prompt):
                sys.stdout.write(printable(text, keep=TAB + LINE_FEED))
                sys.stdout.flush()
    except KeyboardInterrupt:
        # the launcher would say that the same command continues, which is not so here
        sys.stdout.write("\n")
        sys.exit(CTRL_C)


if __name__ == "__main__":
    launch(main, verb="generate")
