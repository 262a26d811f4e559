"""The door of every verb: command line, configuration, ``main``, exit code."""

import importlib
import json
import logging
import os
import re
import signal
import sys
import traceback
import typing
from collections.abc import Callable, Mapping, Sequence
from io import TextIOWrapper
from pathlib import Path
from types import FrameType
from typing import Any

from spider.errors import InterruptedRunError, SpiderError
from spider.launch.command_line import CommandLine, parse
from spider.launch.log import configure_logging
from spider.launch.typed import build
from spider.launch.verbs import MODULE, POSITIONALS, module_of, positionals_of, settings

#: how a run is carried out, never what comes out of it
EXECUTION = {"workspace", "overwrite", "processes", "threads", "device", MODULE, POSITIONALS}
RESOLVED = "resolved"
GIVEN = "given"
CTRL_C = 130

Main = Callable[[Any], None]


def launch(main: Main, *, verb: str) -> typing.NoReturn:
    """Run a verb with this process's command line and end the process with its exit code."""
    sys.exit(run(main, verb=verb, words=sys.argv[1:]))


def run(main: Main, *, verb: str, words: Sequence[str]) -> int:
    """Run a verb and return its exit code; an error becomes one line on standard error.

    Args:
        main: the verb; its one parameter is annotated with its configuration dataclass.
        verb: the name of its yaml.
        words: the command line after the verb.
    """
    return _run(lambda: main, verb, words)


def run_verb(verb: str, words: Sequence[str]) -> int:
    """Import a verb's module and run it; a Ctrl-C during its imports ends it as any other."""
    return _run(lambda: importlib.import_module(module_of(verb)).main, verb, words)


def _run(find_main: Callable[[], Main], verb: str, words: Sequence[str]) -> int:
    configure_logging()
    signal.signal(signal.SIGTERM, _stop)

    def act() -> None:
        main = find_main()
        line = parse(words, positionals=positionals_of(verb), settings=settings(verb))
        _dispatch(main, verb, line)

    return guard(act, name=f"spider {verb}")


def guard(act: Callable[[], None], *, name: str) -> int:
    """Call ``act`` and return the exit code; an error becomes one line on standard error.

    Args:
        act: what is done; what it wrote to standard output is flushed, so that a reader who has
            gone or a full disk is noticed here, not by the interpreter at exit.
        name: who complains.
    """
    try:
        _settle_output()
        act()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _complain(name, "interrupted; the same command goes on from here", CTRL_C)
    except BrokenPipeError:
        # whoever read our output has seen enough
        _flush_or_discard()
        return 0
    except SpiderError as error:
        _debug()
        return _complain(name, str(error), error.exit_code)
    except OSError as error:
        _debug()
        _flush_or_discard()
        return _complain(name, f"{error} (SPIDER_DEBUG=1 shows where)", 1)
    except Exception as error:
        _debug()
        described = f"{type(error).__name__}: {error}"
        return _complain(name, f"{described} (SPIDER_DEBUG=1 shows where)", 1)
    return 0


def configuration_class(main: Main) -> type[Any]:
    """Return the dataclass that a verb's ``main`` takes."""
    hints = typing.get_type_hints(main)
    hints.pop("return", None)
    cls: type[Any] = next(iter(hints.values()))
    return cls


def typed_configuration(
    main: Main, values: Mapping[str, Any], overrides: Sequence[str] = ()
) -> Any:
    """Build a verb's configuration dataclass from the composed values.

    A field named ``resolved`` is filled with the plain values that decide the content of the
    output: all but paths to artifacts and how the run is carried out. A field named ``given`` is
    filled with the names of the settings that were overridden.
    """
    cls = configuration_class(main)
    hints = typing.get_type_hints(cls)
    given = {key: value for key, value in values.items() if key not in (MODULE, POSITIONALS)}
    given = {key: value for key, value in given.items() if key != "workspace" or key in hints}
    config = build(cls, given)
    if RESOLVED in hints:
        decisive = {
            key: value
            for key, value in values.items()
            if key not in EXECUTION and not _holds_paths(hints.get(key))
        }
        object.__setattr__(config, RESOLVED, json.loads(json.dumps(decisive)))
    if GIVEN in hints:
        names = (re.split(r"[=.@]", word.lstrip("+~"), maxsplit=1)[0] for word in overrides)
        object.__setattr__(config, GIVEN, tuple(dict.fromkeys(names)))
    return config


def _holds_paths(annotation: Any) -> bool:
    return annotation is Path or any(map(_holds_paths, typing.get_args(annotation)))


def _dispatch(main: Main, verb: str, line: CommandLine) -> None:
    if line.show_help:
        from spider.launch.help_text import verb_help

        sys.stdout.write(verb_help(verb, configuration_class(main)))
        return
    if line.multirun:
        from spider.launch.multirun import run_all

        run_all(main, verb, line)
        return
    # composing costs 0.3 s, which --help need not pay
    from spider.launch.composition import compose_verb, plain

    config = compose_verb(verb, line.overrides, config_dir=line.config_dir)
    if line.show_config:
        from omegaconf import OmegaConf

        sys.stdout.write(OmegaConf.to_yaml(config))
        return
    main(typed_configuration(main, plain(config), line.overrides))


def _stop(number: int, frame: FrameType | None) -> typing.NoReturn:
    raise InterruptedRunError("stopped by SIGTERM; the same command goes on from here")


def _debug() -> None:
    if os.environ.get("SPIDER_DEBUG") == "1":
        traceback.print_exc()


def _settle_output() -> None:
    """Have a standard output that takes any text, also where the one given is closed or Latin-1."""
    if sys.stdout is None:
        # else the first file that is opened would take its place
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    elif isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")


def _flush_or_discard() -> None:
    """Write what can still be written, and keep the interpreter from complaining of it at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(name: str, message: str, code: int) -> int:
    logging.shutdown()
    single = " ".join(message.split("\n"))
    sys.stderr.write(f"{name}: {single}\n")
    return code
