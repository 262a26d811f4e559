"""The entry point of every verb: command line, configuration, ``main``, exit code."""

import os
import signal
import sys
import typing
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from spider.errors import InterruptedRunError
from spider.launch.command_line import CommandLine, parse, texts_of
from spider.launch.exit import guard
from spider.launch.log import configure_logging
from spider.launch.typed.schema import configuration_class
from spider.launch.verbs import main_of
from spider.printable import LINE_FEED, printable

Main = Callable[[Any], None]


def launch(main: Main, *, verb: str) -> typing.NoReturn:
    """Run a verb with this process's command line and end the process with its exit code."""
    if "SPIDER_PARENT" in os.environ:
        # a stage of a pipeline; other commands do not need the import
        from spider.child_processes import end_with_parent

        end_with_parent()
    sys.exit(run(main, verb=verb, words=sys.argv[1:]))


def run(main: Main, *, verb: str, words: Sequence[str]) -> int:
    """Run a verb and return its exit code; an error becomes one line on standard error.

    Args:
        main: the verb; its one parameter is annotated with its settings dataclass.
        verb: the name of its yaml.
        words: the command line after the verb.
    """
    return _run(lambda: main, verb, words)


def run_verb(verb: str, words: Sequence[str]) -> int:
    """Import a verb's module and run it; Ctrl-C during its imports is handled like any other."""
    return _run(lambda: main_of(verb), verb, words)


def add_implied(line: CommandLine, cls: type[Any]) -> None:
    """Append the overrides that a settings class concludes from the typed ones.

    A class does so with a static method ``implied(texts)``, which gets the text of each setting
    that was typed, by its key. It may choose a variant by a path.
    """
    conclude = getattr(cls, "implied", None)
    if conclude is not None:
        line.overrides += conclude(texts_of(line.overrides))


def _run(find_main: Callable[[], Main], verb: str, words: Sequence[str]) -> int:
    configure_logging()
    signal.signal(signal.SIGTERM, _stop)
    # worker processes start by "python -c", which would import from the current folder: a person's
    # random.py there would run
    os.environ["PYTHONSAFEPATH"] = "1"

    def act() -> None:
        main = find_main()
        line = parse(words, configuration_class(main))
        add_implied(line, configuration_class(main))
        _dispatch(main, verb, line)

    return guard(act, name=f"spider {verb}")


def _dispatch(main: Main, verb: str, line: CommandLine) -> None:
    # composing takes 0.3 s, and the list of verbs does not need it
    from spider.launch.composition import compose_with_choices, plain
    from spider.launch.configuration import typed_settings

    if line.multirun and not (line.show_help or line.show_config):
        from spider.launch.multirun import run_all

        run_all(main, verb, line)
        return
    config, choices = compose_with_choices(verb, line.overrides, config_dir=line.config_dir)
    if line.show_help:
        from spider.launch.help_text import verb_help

        text = verb_help(verb, configuration_class(main), config, choices)
        sys.stdout.write(printable(text, keep=LINE_FEED))
    elif line.show_config:
        from spider.launch.configuration import shown_yaml

        sys.stdout.write(shown_yaml(config))
    else:
        main(typed_settings(configuration_class(main), plain(config), line.overrides))


def _stop(number: int, frame: FrameType | None) -> typing.NoReturn:
    raise InterruptedRunError("stopped by SIGTERM; run the same command again to continue")
