"""Words on the command line become Hydra overrides.

Free text and paths never meet Hydra's grammar, which rejects ``~``, apostrophes, parentheses and
non-ASCII characters and splits at commas: a positional word or a ``--key value`` flag is handed on
quoted. ``key=value`` words are Hydra's own and pass as they are.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spider.errors import ConfigError

OVERRIDE = re.compile(r"^[+~]{0,2}(?P<key>[A-Za-z_][\w.@/:-]*)=")
FLAG = re.compile(r"^--(?P<key>[A-Za-z_][\w.-]*)=")
DELETION = re.compile(r"^~[A-Za-z_][\w.@/-]*$")
PRIMITIVE = re.compile(r"^(-?\d+(\.\d+)?([eE][-+]?\d+)?|true|false|null)$")


@dataclass
class CommandLine:
    """What a verb was asked for.

    Attributes:
        overrides: for Hydra, in order.
        show_help: ``--help`` was given.
        show_config: ``--cfg`` was given: print the composed configuration and stop.
        multirun: ``--multirun`` or ``-m`` was given.
        config_dir: a folder of the user's own yaml files, searched too.
    """

    overrides: list[str] = field(default_factory=list)
    show_help: bool = False
    show_config: bool = False
    multirun: bool = False
    config_dir: Path | None = None


def parse(
    words: Sequence[str], *, positionals: Sequence[str], settings: Mapping[str, Any]
) -> CommandLine:
    """Sort the words of a command line.

    Args:
        words: what follows the verb.
        positionals: the settings that positional words fill, in order.
        settings: the verb's top-level settings with their default values, groups included.

    Raises:
        ConfigError: a flag lacks its value, or there are too many positional words.
    """
    line = CommandLine()
    waiting = list(positionals)
    rest = list(words)
    only_positionals = False
    while rest:
        word = rest.pop(0)
        if only_positionals or _is_positional(word, bool(waiting), settings):
            if not waiting:
                hint = "settings are written key=value" if positionals else "none is taken here"
                raise ConfigError(f"unexpected word {word!r}: {hint}; --help lists the settings")
            line.overrides.append(f"{waiting.pop(0)}={quote(word)}")
        elif word == "--":
            only_positionals = True
        elif word.startswith("-"):
            _take_flag(word, rest, line, settings)
        else:
            line.overrides.append(word)
    return line


def quote(text: str) -> str:
    """Quote text so that Hydra's parser and OmegaConf's interpolation give it back unchanged."""
    # OmegaConf first: a dollar-brace would be read as an interpolation, and the backslashes that
    # stand before one would be read as its escapes
    escaped = re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + "\\${", text)
    # then Hydra: backslashes matter only before a quote, and the closing quote is one
    escaped = re.sub(r"(\\*)('|$)", _escape_quote, escaped)
    return f"'{escaped}'"


def _escape_quote(match: re.Match[str]) -> str:
    backslashes, quote_mark = match[1] * 2, match[2]
    return backslashes + ("\\'" if quote_mark else "")


def _is_positional(word: str, wanted: bool, settings: Mapping[str, Any]) -> bool:
    if word.startswith("-") and len(word) > 1:
        # "-5 degrees?" is a question, "-m" is a flag, and so is "--index=my folder"
        flag = FLAG.match(word)
        root = flag["key"].replace("-", "_").split(".")[0] if flag else ""
        return wanted and " " in word and root not in {*settings, "config_dir"}
    if DELETION.match(word) and word[1:] in settings:
        return False
    match = OVERRIDE.match(word)
    if match is None:
        return True
    key = match["key"].split("@")[0]
    if key.split(".")[0] in settings or "/" in key or key.startswith("hydra."):
        return False
    looks_like_text = " " in word or Path(word).expanduser().exists()
    return wanted and looks_like_text


def _take_flag(word: str, rest: list[str], line: CommandLine, settings: Mapping[str, Any]) -> None:
    name, given, value = word.partition("=")
    if name in ("-h", "--help"):
        line.show_help = True
    elif name in ("-c", "--cfg"):
        line.show_config = True
        if rest and rest[0] in ("job", "all"):
            rest.pop(0)
    elif name in ("-m", "--multirun"):
        line.multirun = True
    elif name == "--config-dir":
        line.config_dir = Path(value or _next(rest, name)).expanduser()
    elif name.startswith("--"):
        key = name[2:].replace("-", "_")
        if not given and isinstance(settings.get(key), bool):
            value = "true"
        elif not given:
            value = _next(rest, name)
        line.overrides.append(f"{key}={value if PRIMITIVE.match(value) else quote(value)}")
    else:
        raise ConfigError(f"unknown flag {word!r}; --help lists what there is")


def _next(rest: list[str], flag: str) -> str:
    if not rest:
        raise ConfigError(f"{flag} needs a value: {flag} VALUE")
    return rest.pop(0)
