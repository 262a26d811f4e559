"""Turns the words of a command line into Hydra overrides, by the schema of the verb's settings.

Free text and paths are never parsed by Hydra's grammar, which rejects ``~``, apostrophes,
parentheses and non-ASCII characters and splits at commas: a positional word or a ``--key value``
flag is passed on quoted. ``key=value`` words are Hydra's own and are passed on unchanged.

Only its form and the schema decide what a word is:

* ``KEY=VALUE`` with a known key is an override; ``~KEY`` deletes one;
* ``--KEY VALUE`` and ``--KEY=VALUE`` with a known key are flags;
* other words are positional. A word of the form ``KEY=VALUE`` without white space is refused, since
  it is more likely a misspelt setting than text; after ``--`` every word is positional.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spider.errors import ConfigError
from spider.launch.typed.objects import unknown_key
from spider.launch.typed.schema import (
    alternatives,
    find_setting,
    known_keys,
    settings_of,
    takes_text,
)
from spider.launch.verbs import groups, positionals_of

OVERRIDE = re.compile(r"^[+~]{0,2}(?P<key>[A-Za-z_][\w.@/:-]*)=")
FLAG = re.compile(r"^--(?P<key>[A-Za-z_][\w.-]*)(?P<given>=|$)")
SHORT_FLAG = re.compile(r"^-[A-Za-z]+$")
DELETION = re.compile(r"^~(?P<key>[A-Za-z_][\w.@/-]*)$")
PRIMITIVE = re.compile(r"^(-?\d+(\.\d+)?([eE][-+]?\d+)?|true|false|null)$")
LAUNCHER_FLAGS = ("help", "cfg", "multirun", "config-dir")
SHORT_FLAGS = {"-h": "--help", "-c": "--cfg", "-m": "--multirun"}


@dataclass
class CommandLine:
    """The parsed command line of a verb.

    Attributes:
        overrides: the overrides for Hydra, in the order of the command line.
        show_help: ``--help`` was given.
        show_config: ``--cfg`` was given: print the composed configuration and stop.
        multirun: ``--multirun`` or ``-m`` was given.
        config_dir: a folder of the user's own yaml files, which is also searched.
    """

    overrides: list[str] = field(default_factory=list)
    show_help: bool = False
    show_config: bool = False
    multirun: bool = False
    config_dir: Path | None = None


def parse(words: Sequence[str], cls: type[Any]) -> CommandLine:
    """Sort the words of a command line.

    Args:
        words: the words after the verb.
        cls: the settings dataclass of the verb.

    Raises:
        ConfigError: a flag or a setting is unknown, a flag lacks its value, or there are too many
            positional words.
    """
    line = CommandLine()
    waiting = list(positionals_of(cls))
    rest = list(words)
    only_positionals = False
    while rest:
        word = rest.pop(0)
        if word == "--" and not only_positionals:
            only_positionals = True
        elif only_positionals or not _is_setting(word, cls, waiting=bool(waiting)):
            if not waiting:
                hint = "settings are written key=value" if positionals_of(cls) else "it takes none"
                raise ConfigError(f"unexpected word {word!r}: {hint}; --help lists the settings")
            line.overrides.append(f"{waiting.pop(0)}={quote(word)}")
        elif word.startswith("-"):
            _take_flag(word, rest, line, cls)
        else:
            line.overrides.append(word)
    return line


def root_of(key: str) -> str:
    """Return the first part of a key: ``training`` of ``training.steps``."""
    return re.split(r"[@./]", key)[0]


def overridden(overrides: Iterable[str]) -> list[str]:
    """Return the keys that overrides name, without Hydra's own."""
    matches = [OVERRIDE.match(word) or DELETION.match(word) for word in overrides]
    keys = [match["key"] for match in matches if match is not None]
    return [key for key in keys if root_of(key) != "hydra"]


def texts_of(overrides: Iterable[str]) -> dict[str, str]:
    """Return the text of each setting that overrides name, without quotes."""
    texts = {}
    for word in overrides:
        if match := OVERRIDE.match(word):
            texts[match["key"]] = unquote(word[match.end() :])
        elif match := DELETION.match(word):
            texts[match["key"]] = ""
    return texts


def unknown_setting(cls: type[Any], overrides: Iterable[str]) -> str:
    """Return the message about the first override of a setting that a verb lacks; empty if none."""
    for key in overridden(overrides):
        if not _is_known(root_of(key), cls):
            text = "; free text goes after --" if positionals_of(cls) else ""
            return unknown_key(key, known_keys(cls)) + text
    return ""


def quote(text: str) -> str:
    """Quote text so that Hydra's parser and OmegaConf's interpolation give it back unchanged."""
    # OmegaConf first, then Hydra: backslashes matter only before a quote, and the closing quote is
    # a quote
    escaped = re.sub(r"(\\*)('|$)", _escape_quote, literal(text))
    return f"'{escaped}'"


def unquote(value: str) -> str:
    """Return the text that :func:`quote` quoted, or a value that nothing quotes unchanged."""
    if len(value) < 2 or not value.startswith("'") or not value.endswith("'"):
        return value
    body = re.sub(r"(\\*)('|$)", _unescape_quote, value[1:-1])
    return re.sub(r"(\\*)\$\{", lambda match: match[1][: len(match[1]) // 2] + "${", body)


def literal(text: str) -> str:
    """Write text so that OmegaConf's interpolation gives it back unchanged."""
    # a dollar-brace would be read as an interpolation, and the backslashes before it would be read
    # as its escapes
    return re.sub(r"(\\*)\$\{", lambda match: match[1] * 2 + "\\${", text)


def _escape_quote(match: re.Match[str]) -> str:
    backslashes, quote_mark = match[1] * 2, match[2]
    return backslashes + ("\\'" if quote_mark else "")


def _unescape_quote(match: re.Match[str]) -> str:
    return match[1][: len(match[1]) // 2] + match[2]


def _is_known(root: str, cls: type[Any]) -> bool:
    return root in settings_of(cls) or root in groups() or root == "hydra"


def _is_setting(word: str, cls: type[Any], *, waiting: bool) -> bool:
    """Return whether a word is a flag or an override, and not text.

    Raises:
        ConfigError: it has the form of a flag or an override, but names no setting.
    """
    if word.startswith("-") and len(word) > 1:
        return _is_flag(word, cls, waiting=waiting)
    if deletion := DELETION.match(word):
        return _is_known(root_of(deletion["key"]), cls)
    match = OVERRIDE.match(word)
    if match is None:
        return False
    if _is_known(root_of(match["key"]), cls):
        return True
    if waiting and re.search(r"\s", word) and not _near_miss(match["key"], cls):
        return False
    raise ConfigError(unknown_setting(cls, [word]))


def _is_flag(word: str, cls: type[Any], *, waiting: bool) -> bool:
    """Return whether a word is a flag, and not text such as ``-5 degrees?``."""
    if SHORT_FLAG.match(word):
        return True
    match = FLAG.match(word)
    if match is None:
        return not waiting
    key = match["key"].replace("-", "_")
    known = match["key"] in LAUNCHER_FLAGS or _is_known(root_of(key), cls)
    return known or not (waiting and re.search(r"\s", word))


def _near_miss(key: str, cls: type[Any]) -> bool:
    return bool(difflib.get_close_matches(root_of(key), list(settings_of(cls)), n=1, cutoff=0.75))


def _take_flag(word: str, rest: list[str], line: CommandLine, cls: type[Any]) -> None:
    name, given, value = word.partition("=")
    name = SHORT_FLAGS.get(name, name)
    if name == "--help":
        line.show_help = True
    elif name == "--cfg":
        line.show_config = True
        if rest and rest[0] in ("job", "all"):
            rest.pop(0)
    elif name == "--multirun":
        line.multirun = True
    elif name == "--config-dir":
        line.config_dir = Path(value or _next(rest, name)).expanduser()
    else:
        line.overrides.append(_flag_override(name, value if given else None, rest, cls))


def _flag_override(name: str, value: str | None, rest: list[str], cls: type[Any]) -> str:
    key = name.lstrip("-").replace("-", "_")
    if not name.startswith("--") or not _is_known(root_of(key), cls):
        flags = [f"--{known.replace('_', '-')}" for known in known_keys(cls)]
        flags += [f"--{flag}" for flag in LAUNCHER_FLAGS]
        near = difflib.get_close_matches(name.replace("_", "-"), flags, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}?" if near else "--help lists all flags"
        raise ConfigError(f"unknown flag {name}; {hint}")
    setting = find_setting(cls, key)
    if value is None:
        value = "true" if setting and setting.annotation is bool else _next(rest, name)
    if key in groups():
        return f"{key}={value}"
    if setting is None:
        # a setting of a variant, whose class is known only once the variant is chosen
        return f"{key}={value if PRIMITIVE.match(value) else quote(value)}"
    options = alternatives(setting.annotation)
    nothing = value == "null" and type(None) in options
    truth = value in ("true", "false") and bool in options
    text = takes_text(setting.annotation) and not nothing and not truth
    return f"{key}={quote(value) if text else value}"


def _next(rest: list[str], flag: str) -> str:
    if not rest:
        raise ConfigError(f"{flag} needs a value: {flag} VALUE")
    return rest.pop(0)
